"""The rules as a Pulumi policy pack: `pulumi up --policy-pack infra/policies/pack`."""
