"""The counters that inference engines keep of their own work."""
