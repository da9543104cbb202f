"""What a method believes about an image's depth and categories: the simulator's truth, our networks', or public ones'."""
