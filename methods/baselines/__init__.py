"""What every table is read against: a guess, answers that know the protocol and never look, and a retrieval that knows
the truth."""
