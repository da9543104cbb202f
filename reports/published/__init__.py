"""The numbers that README and ``docs/`` quote: committed summaries of what was measured, and the pages made of them."""
