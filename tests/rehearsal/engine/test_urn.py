from rehearsal.engine.urn import make_urn, name_of, provider_urn, qualified_type, type_of

STACK = "urn:pulumi:local::drivetrain::pulumi:pulumi:Stack::drivetrain-local"


def test_the_stack_is_no_parent_type() -> None:
    urn = make_urn(stack="local", project="drivetrain", parent=STACK, type_="aws:s3/bucket:Bucket", name="lake")
    assert urn == "urn:pulumi:local::drivetrain::aws:s3/bucket:Bucket::lake"


def test_the_whole_chain_of_components_is_kept() -> None:
    outer = make_urn(stack="s", project="p", parent=STACK, type_="a:b:Outer", name="o")
    inner = make_urn(stack="s", project="p", parent=outer, type_="a:b:Inner", name="i")
    leaf = make_urn(stack="s", project="p", parent=inner, type_="aws:kms/key:Key", name="k")
    assert qualified_type(leaf) == "a:b:Outer$a:b:Inner$aws:kms/key:Key"
    assert (type_of(leaf), name_of(leaf)) == ("aws:kms/key:Key", "k")


def test_a_name_may_hold_the_separator() -> None:
    assert name_of("urn:pulumi:s::p::t::a::b") == "a::b"
    assert provider_urn("urn:pulumi:s::p::pulumi:providers:aws::aws::1f0c") == (
        "urn:pulumi:s::p::pulumi:providers:aws::aws"
    )
