"""Cross-view self-localization from synthesized scene graphs (Yamamoto and Tanaka; paper 000)."""
