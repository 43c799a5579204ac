"""The offline AWS: moto in a process of our own, with what it leaves out filled in, and jobs that really run."""
