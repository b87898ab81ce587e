"""What is in the way, and the one command that mends it.

A row of `probes` names a function of `gather`, which looks at this machine and hands what it has seen (`facts`) to one of
`judge`, which says what that means. `examine` runs the rows side by side, each within its time.
"""
