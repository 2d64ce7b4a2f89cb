"""The one place that knows the Kinesis Client Library: its daemon, its protocol, its leases."""
