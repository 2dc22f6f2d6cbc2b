import pytest

from goldvein.sanitizer import sanitize_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "id,name,phone,plan\n1,Bo,601 123 456,a\n" + '2,"X, Y",0171/2345678,b\n',
            'id,name,phone,plan\n1,Bo,[REDACTED:phone_1],a\n2,"X, Y",[REDACTED:phone_2],b\n',
        ),
        (
            "| name | Telefon |\n|---|---|\n| Bo | 601 123 456 |\n\n| 7 |",
            "| name | Telefon |\n|---|---|\n| Bo | [REDACTED:phone] |\n\n| 7 |",
        ),
        (
            "INSERT INTO users (id, phone, city) VALUES (3, '36-7575-4897', 'X'), (4, '234 56 78', 'Y');",
            "INSERT INTO users (id, phone, city) VALUES (3, '[REDACTED:phone_1]', 'X'), (4, '[REDACTED:phone_2]', 'Y');",
        ),
        (
            "id;ssn;dob\n1;91672789575;1985-03-12\n",
            "id;ssn;dob\n1;[REDACTED:national_id];[REDACTED:birth_date]\n",
        ),
        (
            "+----+-----------+------+\n| id | telephone | pwd  |\n+----+-----------+------+\n|  1 | 234 56 78 | aX7# |\n",
            (
                "+----+-----------+------+\n| id | telephone | pwd  |\n+----+-----------+------+\n"
                "|  1 | [REDACTED:phone] | [REDACTED:password] |\n"
            ),
        ),
        (
            "INSERT INTO users (id, phone, password) VALUES (3, '36-7575-4897', 'Harbor-Kestrel-7');",
            "INSERT INTO users (id, phone, password) VALUES (3, '[REDACTED:phone]', '[REDACTED:password]');",
        ),
        ("user\tdate of birth\nbo\t30 May 1925\n", "user\tdate of birth\nbo\t[REDACTED:birth_date]\n"),
    ],
)
def test_the_name_of_a_column_is_the_label_of_every_value(text: str, expected: str) -> None:
    assert sanitize_text(text) == expected


def test_rows_far_below_the_names_are_read_too() -> None:
    rows = "".join(f"{number},60112{number:04},basic\n" for number in range(200))
    assert "60112" not in sanitize_text(f"id,mobile,plan\n{rows}")


@pytest.mark.parametrize(
    "text",
    [
        "order,total,date\n12345678,99,2020-01-01\n",
        "id,phone\n1,none\n2,n/a\n",
        "from a import phone, tel\nx = 12345678\n",
        "INSERT INTO t (id, total) VALUES (12345678, 7);",
        "| phone | bytes |\n|---|---|\n| yes | 12345678 |\n",
        "VALUES (12345678, 2)",
    ],
)
def test_other_columns_stay(text: str) -> None:
    assert sanitize_text(text) == text
