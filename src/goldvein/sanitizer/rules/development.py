"""Keys of source hosting, package registries and continuous integration."""

from goldvein.sanitizer.rules.rule import ALNUM, DOTTED, HEX, LOWER, PADDED, UPPER, URLSAFE, WORD, key

CODE_KEYS = (
    key("github_token", "token of GitHub", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), WORD, 30, 255),
    key("github_fine_grained_token", "fine-grained token of GitHub", ("github_pat_",), WORD, 22, 255),
    key(
        "gitlab_token",
        "token of GitLab",
        tuple(
            f"{kind}-"
            for kind in (
                "glpat",
                "gldt",
                "glrt",
                "glrtr",
                "glptt",
                "glsoat",
                "glft",
                "glimt",
                "glagent",
                "glcbt",
                "glffct",
                "gloas",
                "glwt",
            )
        ),
        DOTTED,
        20,
        320,
    ),
    key("gitlab_runner_token", "registration token of GitLab", ("GR1348941",), URLSAFE, 20, 50),
    key("bitbucket_token", "token of Bitbucket", ("ATBB", "ATCTT3x"), DOTTED, 24, 400, confirm="mixed_body"),
    key("atlassian_token", "token of Atlassian", ("ATATT3x", "ATATT3", "ATSTT3"), "[A-Za-z0-9_=-]", 60, 400),
    key("npm_token", "token of npm", ("npm_",), ALNUM, 36, 64),
    key(
        "pypi_token",
        "token of PyPI",
        ("pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZ", "pypi-"),
        URLSAFE,
        50,
        2048,
    ),
    key("rubygems_key", "key of RubyGems", ("rubygems_",), HEX, 48, 48),
    key("crates_token", "token of crates.io", ("cio",), ALNUM, 32, 32, confirm="mixed_body"),
    key("clojars_token", "token of Clojars", ("CLOJARS_",), LOWER, 60, 60),
    key("nuget_key", "key of NuGet", ("oy2",), LOWER, 43, 43),
    key("docker_token", "token of Docker", ("dckr_pat_", "dckr_oat_"), URLSAFE, 27, 64),
    key("circleci_token", "token of CircleCI", ("CCIPAT_", "CCIPRJ_"), WORD, 40, 100),
    key("buildkite_token", "token of Buildkite", ("bkua_", "bkpt_", "bkct_", "bkaj_"), ALNUM, 30, 64),
    key("octopus_key", "API key of Octopus Deploy", ("API-",), UPPER, 25, 40, confirm="mixed_body"),
    key("harness_key", "API key of Harness", ("pat.", "sat."), "[A-Za-z0-9._-]", 60, 90, confirm="mixed_body"),
    key("artifactory_key", "API key of Artifactory", ("AKCp",), ALNUM, 60, 80),
    key("artifactory_reference_token", "reference token of Artifactory", ("cmVmdGtu",), ALNUM, 50, 80),
    key("sonar_token", "token of SonarQube", ("squ_", "sqp_", "sqa_"), HEX, 40, 40),
    key(
        "sourcegraph_token", "token of Sourcegraph", ("sgp_", "slk_", "sgd_"), "[a-f0-9_]", 40, 80, confirm="mixed_body"
    ),
    key("snyk_token", "token of Snyk", ("snyk_",), DOTTED, 40, 400),
    key("prefect_key", "API key of Prefect", ("pnu_", "pnb_"), ALNUM, 36, 36),
    key("typeform_token", "token of Typeform", ("tfp_",), DOTTED, 40, 80),
    key("readme_key", "API key of ReadMe", ("rdme_",), LOWER, 60, 80),
    key("localstack_token", "token of LocalStack", ("ls-",), ALNUM, 32, 80, confirm="mixed_body"),
)

MORE_CODE_KEYS = (
    key(
        "depot_token",
        "token of Depot",
        ("depot_project_", "depot_org_", "depot_user_", "depot_"),
        ALNUM,
        32,
        80,
        confirm="mixed_body",
    ),
    key(
        "packagist_token",
        "token of Packagist",
        ("packagist_ort_", "packagist_out_", "packagist_uut_", "packagist_"),
        HEX,
        40,
        90,
    ),
    key("hex_key", "API key of Hex", ("hxtw_", "hxtp_"), HEX, 60, 90),
    key("socket_key", "API key of Socket", ("sktsec_",), PADDED, 30, 100),
    key("n_eight_n_key", "API key of n8n", ("n8n_api_",), ALNUM, 30, 200),
    key("retool_token", "token of Retool", ("retool_",), ALNUM, 20, 64, confirm="mixed_body"),
    key("inngest_key", "signing key of Inngest", ("signkey-prod-", "signkey-test-", "signkey-branch-"), HEX, 30, 80),
    key("trigger_key", "secret key of Trigger.dev", ("tr_dev_", "tr_prod_", "tr_stg_", "tr_pat_"), ALNUM, 20, 64),
    key("svix_key", "API key of Svix", ("testsk_", "svix_sk_"), DOTTED, 20, 80),
    key("liveblocks_key", "secret key of Liveblocks", ("sk_dev_",), URLSAFE, 40, 100),
    key("configcat_key", "SDK key of ConfigCat", ("configcat-sdk-1/",), "[A-Za-z0-9_/-]", 40, 60),
    key("flagsmith_key", "server key of Flagsmith", ("ser.",), ALNUM, 20, 32, confirm="mixed_body"),
    key("censys_key", "API key of Censys", ("censys_",), WORD, 28, 64),
    key("checkly_key", "API key of Checkly", ("cu_",), HEX, 32, 32),
)
