"""EssNet (Zhou et al. 2020), the learned baseline of the ExReNet paper: ExReNet's network with another end."""
