"""What Linux shows of energy in /sys, for every vendor alike and without a library of theirs."""
