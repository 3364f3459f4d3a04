"""The web console: files for a browser, its sessions, and nothing that another client of the REST API couldn't do."""
