from goldvein.sanitizer import Finding, sanitize, sanitize_many


def test_it_shares_placeholders_over_the_texts_of_an_example() -> None:
    first, second = sanitize_many(["a@one.example.org b@two.example.org", "b@two.example.org"])
    assert first.text == "[REDACTED:email_1] [REDACTED:email_2]"
    assert second.text == "[REDACTED:email_2]"


def test_it_leaves_the_number_out_when_a_type_has_one_value() -> None:
    result = sanitize("x a@one.example.org x a@one.example.org")
    assert result.text == "x [REDACTED:email] x [REDACTED:email]"
    assert result.findings == (
        Finding(type="email", start=2, end=19, rule="email"),
        Finding(type="email", start=22, end=39, rule="email"),
    )
