"""The doors: command line, HTTP, files. They translate and decide nothing."""
