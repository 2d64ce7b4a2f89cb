"""What a game costs in AWS, ours beside the tutorial's design: ``python -m headcount cost``; see docs/cost.md.

`load` says what the game does, `writes` and `netting` what that means for the tables, `ours` and `tutorial` what is
then paid for, `prices` what each costs, `bill` adds up, `report` shows it.
"""
