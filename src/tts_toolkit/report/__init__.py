"""The listening page: ``report.html`` from a manifest."""
