"""What a method believes about depth and categories: the simulator's truth, our networks', or public ones'."""
