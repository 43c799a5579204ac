"""What stands around `pulumi up`: preview, gate, cost, deploy, verify, promote."""
