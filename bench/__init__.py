"""What Runyard promises in milliseconds, measured against a running installation."""
