import pytest

from goldvein.webhooks.addresses import Place, is_public, read_url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://hooks.example/a?b=c", Place(scheme="https", host="hooks.example", port=443, path="/a?b=c")),
        ("https://hooks.example:8443", Place(scheme="https", host="hooks.example", port=8443, path="/")),
        ("https://[2606:4700::1111]/x", Place(scheme="https", host="2606:4700::1111", port=443, path="/x")),
    ],
)
def test_a_url_is_read_in_its_parts(url: str, place: Place) -> None:
    assert read_url(url, allow_http=False) == place


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example", "http://hooks.example/", "ftp://hooks.example/", "https://", "https:///path",
        "https://user@hooks.example/", "https://user:pass@hooks.example/", "https://hooks.example/#part",
        "https://hooks.example:0/", "https://hooks.example:99999/", "https://hooks.example/a b",
        "https://hooks.example/\r\nHost: other", "https://hooks.éxample/", "https://[::1", "file:///etc/passwd",
        "https://hooks.example/" + "a" * 500, "https://hooks.example/?token=" + "ghp_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA2",
    ],
)  # fmt: skip
def test_a_url_that_no_message_may_go_to_is_told_by_a_rule_that_does_not_repeat_it(url: str) -> None:
    found = read_url(url, allow_http=False)
    assert isinstance(found, str)
    assert "hooks" not in found


def test_http_is_for_development() -> None:
    assert isinstance(read_url("http://hooks.example/", allow_http=True), Place)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0" + ".0",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2001:db8::1", "not an address", "",
    ],
)  # fmt: skip
def test_an_address_that_only_this_network_reaches_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_that_anybody_reaches_is(address: str) -> None:
    assert is_public(address)
