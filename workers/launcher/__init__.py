"""Starts runners: a small process that has everything imported already and only forks.

One per host. It has a single thread and no connection of any kind when it forks, so that a runner
begins with nothing that it would share. Runners are no children of it and outlive it.
"""
