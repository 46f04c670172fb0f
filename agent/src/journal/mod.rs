//! Alert -> kept: the alert log on disk.
