"""Tables, plots and the self-contained HTML report, made from a results folder alone."""
