"""EssNet's regression part (Zhou et al. 2020), the learned baseline of the ExReNet paper."""
