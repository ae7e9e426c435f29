"""What is done to the twins, and what is found: plan, shoppers, faults, checks, verdict, report, command line."""
