"""Documented forms of vendors' keys: those that tell by themselves what they are, and those that only a name tells.

`FORMS` maps a kind to its form and the words of the name it usually has. `U` in a form is a UUID. The forms are those
of the vendors' public documentation; bodies are random, so checksums that some vendors put into them do not hold.
"""

from random import Random

from benchmarks.sanitizer.samples import fill, uuid

_BY_FORM = """
aws_access_key_id        | AKIA{Z16}                                  | aws access key id
aws_temporary_key_id     | ASIA{Z16}                                  | aws access key id
aws_bedrock_key          | ABSK{b109}=                                | aws bearer token bedrock
google_api_key           | AIza{w35}                                  | google api key
google_oauth_secret      | GOCSPX-{w28}                               | google client secret
google_oauth_access      | ya29.{w80-140}                             | google access token
google_refresh_token     | 1//0{w50-60}                               | google refresh token
azure_client_secret      | {n3}8Q~{w34}                               | azure client secret
alibaba_key_id           | LTAI{n20}                                  | alibaba access key id
tencent_key_id           | AKID{n32}                                  | tencent secret id
digitalocean_token       | dop_v1_{h64}                               | digitalocean token
digitalocean_oauth       | doo_v1_{h64}                               | digitalocean access token
digitalocean_refresh     | dor_v1_{h64}                               | digitalocean refresh token
flyio_macaroon           | fm2_{b100-200}                             | fly api token
heroku_key               | HRKU-AA{w58}                               | heroku api key
render_key               | rnd_{n28}                                  | render api key
netlify_token            | nfp_{n36}                                  | netlify auth token
cloudflare_origin_ca     | v1.0-{h24}-{h146}                          | cloudflare origin ca key
supabase_token           | sbp_{h40}                                  | supabase access token
supabase_secret          | sb_secret_{w31}                            | supabase secret key
planetscale_token        | pscale_tkn_{w43}                           | planetscale service token
planetscale_password     | pscale_pw_{w43}                            | database password
planetscale_oauth        | pscale_oauth_{w43}                         | planetscale access token
neon_key                 | napi_{a64}                                 | neon api key
databricks_token         | dapi{h32}                                  | databricks token
aiven_password           | AVNS_{w19}                                 | aiven password
terraform_cloud_token    | {n14}.atlasv1.{w67}                        | tfe token
vault_service_token      | hvs.{w95}                                  | vault token
vault_batch_token        | hvb.{w140-160}                             | vault token
pulumi_token             | pul-{h40}                                  | pulumi access token
doppler_token            | dp.pt.{n43}                                | doppler token
doppler_service_token    | dp.st.prod.{n43}                           | doppler token
onepassword_service      | ops_eyJ{b250-300}                          | op service account token
github_pat               | ghp_{n36}                                  | github token
github_oauth             | gho_{n36}                                  | github token
github_user_to_server    | ghu_{n36}                                  | github token
github_server            | ghs_{n36}                                  | github token
github_refresh           | ghr_{n76}                                  | github refresh token
github_fine_grained      | github_pat_{n22}_{n59}                     | gh token
gitlab_pat               | glpat-{w20}                                | gitlab token
gitlab_pat_routable      | glpat-{w27}.01.{a9}                        | gitlab token
gitlab_deploy_token      | gldt-{w20}                                 | ci deploy password
gitlab_runner_token      | glrt-{w20}                                 | runner token
gitlab_trigger_token     | glptt-{h40}                                | trigger token
gitlab_job_token         | glcbt-{h2}_{w20}                           | ci job token
gitlab_feed_token        | glft-{w20}                                 | feed token
gitlab_scim_token        | glsoat-{w20}                               | scim token
gitlab_agent_token       | glagent-{w50}                              | agent token
gitlab_oauth_secret      | gloas-{h64}                                | gitlab client secret
bitbucket_app_password   | ATBB{n32}                                  | bitbucket app password
bitbucket_access_token   | ATCTT3xFfGN0{w160-175}={H8}                | bitbucket token
atlassian_token          | ATATT3xFfGF0{w170-180}={H8}                | jira api token
sourcegraph_token        | sgp_{h16}_{h40}                            | src access token
sonarqube_token          | squ_{h40}                                  | sonar token
sonarqube_project        | sqp_{h40}                                  | sonar token
slack_bot_token          | xoxb-{d12}-{d13}-{n24}                     | slack bot token
slack_user_token         | xoxp-{d12}-{d12}-{d13}-{h32}               | slack token
slack_app_token          | xapp-1-A{A10}-{d13}-{h64}                  | slack app token
slack_config_token       | xoxe.xoxp-1-{b160-166}                     | slack config token
slack_refresh_token      | xoxe-1-{b146}                              | slack refresh token
discord_bot_token        | MT{w24}.{w6}.{w38}                         | discord token
telegram_bot_token       | {d10}:AA{w33}                              | telegram bot token
twilio_key_sid           | SK{h32}                                    | twilio api key
matrix_token             | syt_{n12}_{n20}_{n6}                       | matrix access token
stripe_live_key          | sk_live_{n24}                              | stripe secret key
stripe_long_key          | sk_live_51{n97}                            | stripe api key
stripe_test_key          | sk_test_{n24}                              | stripe secret key
stripe_restricted        | rk_live_{n24}                              | stripe restricted key
stripe_webhook           | whsec_{n32}                                | stripe webhook secret
square_access            | sq0atp-{w22}                               | square access token
square_secret            | sq0csp-{w43}                               | square application secret
square_production        | EAAA{w60}                                  | square access token
braintree_token          | access_token$production${a16}${h32}        | braintree access token
razorpay_key             | rzp_live_{n14}                             | razorpay key id
paystack_key             | sk_live_{h40}                              | paystack secret
flutterwave_key          | FLWSECK-{h32}-X                            | flutterwave secret key
mollie_key               | live_{n30}                                 | mollie api key
plaid_access             | access-sandbox-U                           | plaid access token
gocardless_token         | live_{w40}                                 | gocardless access token
paddle_key               | pdl_live_apikey_{a26}_{n22}_{n3}           | paddle api key
shopify_access           | shpat_{h32}                                | shopify access token
shopify_shared           | shpss_{h32}                                | shopify api secret
shopify_private          | shppa_{h32}                                | shopify password
shopify_custom           | shpca_{h32}                                | shopify access token
checkout_key             | sk_U                                       | cko secret key
openai_legacy            | sk-{n20}T3BlbkFJ{n20}                      | openai api key
openai_project           | sk-proj-{w74}T3BlbkFJ{w74}                 | openai api key
openai_service           | sk-svcacct-{w74}T3BlbkFJ{w74}              | openai api key
openai_admin             | sk-admin-{w58}T3BlbkFJ{w58}                | openai admin key
anthropic_key            | sk-ant-api03-{w93}AA                       | anthropic api key
anthropic_admin          | sk-ant-admin01-{w93}AA                     | anthropic admin key
anthropic_oauth          | sk-ant-oat01-{w93}AA                       | claude code oauth token
openrouter_key           | sk-or-v1-{h64}                             | openrouter api key
huggingface_token        | hf_{n34}                                   | hf token
replicate_token          | r8_{n37}                                   | replicate api token
groq_key                 | gsk_{n52}                                  | groq api key
xai_key                  | xai-{n80}                                  | xai api key
perplexity_key           | pplx-{n48}                                 | perplexity api key
deepseek_key             | sk-{h32}                                   | deepseek api key
elevenlabs_key           | sk_{h48}                                   | elevenlabs api key
stability_key            | sk-{n48}                                   | stability api key
together_key             | tgp_v1_{w43}                               | together api key
fireworks_key            | fw_{n24}                                   | fireworks api key
pinecone_key             | pcsk_{n6}_{n63}                            | pinecone api key
langsmith_key            | lsv2_pt_{h32}_{h10}                        | langsmith api key
langfuse_secret          | sk-lf-U                                    | langfuse secret key
voyage_key               | pa-{w43}                                   | voyage api key
jina_key                 | jina_{h32}{w28}                            | jina api key
tavily_key               | tvly-{n32}                                 | tavily api key
cerebras_key             | csk-{a48}                                  | cerebras api key
nvidia_key               | nvapi-{w64}                                | nvidia api key
runpod_key               | rpa_{A40}                                  | runpod api key
nomic_key                | nk-{w43}                                   | nomic api key
llamacloud_key           | llx-{n48}                                  | llama cloud api key
firecrawl_key            | fc-{h32}                                   | firecrawl api key
apify_token              | apify_api_{n36}                            | apify token
browserbase_key          | bb_live_{w27}                              | browserbase api key
e2b_key                  | e2b_{h40}                                  | e2b api key
cursor_key               | key_{h64}                                  | cursor api key
npm_token                | npm_{n36}                                  | npm token
pypi_token               | pypi-AgEIcHlwaS5vcmc{w160-180}             | pypi token
testpypi_token           | pypi-AgENdGVzdC5weXBpLm9yZw{w150-170}      | pypi token
rubygems_key             | rubygems_{h48}                             | gem host api key
nuget_key                | oy2{a43}                                   | nuget api key
crates_token             | cio{n32}                                   | cargo registry token
dockerhub_pat            | dckr_pat_{w27}                             | docker password
dockerhub_org            | dckr_oat_{w32}                             | docker password
artifactory_key          | AKCp{n69}                                  | artifactory api key
artifactory_reference    | cmVmdGtu{n56}                              | jfrog access token
clojars_token            | CLOJARS_{h60}                              | clojars password
packagist_token          | packagist_ort_{h68}                        | packagist token
circleci_pat             | CCIPAT_{n22}_{h40}                         | circle token
buildkite_token          | bkua_{h40}                                 | buildkite token
octopus_key              | API-{A26}                                  | octopus api key
harness_pat              | pat.{w22}.{h24}.{n20}                      | harness api key
snyk_token               | snyk_uat.{h8}.eyJ{w90}.{w60}               | snyk token
socket_key               | sktsec_{w40}_api                           | socket security api key
newrelic_user            | NRAK-{A27}                                 | new relic api key
newrelic_insert          | NRII-{w32}                                 | new relic insert key
newrelic_license         | {h36}NRAL                                  | new relic license key
sentry_user_token        | sntryu_{h64}                               | sentry auth token
sentry_org_token         | sntrys_eyJ{b150-180}_{b43}                 | sentry auth token
grafana_service          | glsa_{n32}_{h8}                            | grafana token
grafana_cloud            | glc_eyJ{b80-120}=                          | grafana cloud token
grafana_legacy           | eyJrIjoi{b70-90}                           | grafana api key
honeycomb_ingest         | hcaik_{a58}                                | honeycomb api key
dynatrace_token          | dt0c01.{Z24}.{Z64}                         | dynatrace token
axiom_token              | xaat-U                                     | axiom token
honeybadger_key          | hbp_{n36}                                  | honeybadger auth token
checkly_key              | cu_{h32}                                   | checkly api key
posthog_personal         | phx_{n43}                                  | posthog personal api key
segment_token            | sgp_{n64}                                  | segment token
launchdarkly_sdk         | sdk-U                                      | launchdarkly sdk key
launchdarkly_api         | api-U                                      | launchdarkly api key
statsig_key              | secret-{n43}                               | statsig server key
sendgrid_key             | SG.{w22}.{w43}                             | sendgrid api key
mailgun_key              | key-{h32}                                  | mailgun api key
mailchimp_key            | {h32}-us{d2}                               | mailchimp api key
brevo_key                | xkeysib-{h64}-{n16}                        | brevo api key
resend_key               | re_{n8}_{n24}                              | resend api key
mandrill_key             | md-{w22}                                   | mandrill api key
hubspot_token            | pat-na1-U                                  | hubspot token
salesforce_session       | 00D{n12}!{n96}                             | sf access token
airtable_pat             | pat{n14}.{h64}                             | airtable token
notion_token             | ntn_{d11}{n35}                             | notion token
notion_legacy            | secret_{n43}                               | notion token
linear_key               | lin_api_{n40}                              | linear api key
linear_oauth             | lin_oauth_{h64}                            | linear access token
asana_pat                | 2/{d16}/{d16}:{h32}                        | asana token
clickup_token            | pk_{d8}_{A32}                              | clickup token
trello_token             | ATTA{h64}                                  | trello token
figma_token              | figd_{w40}                                 | figma token
contentful_pat           | CFPAT-{w43}                                | contentful management token
typeform_token           | tfp_{w44}                                  | typeform token
dropbox_token            | sl.{w130-150}                              | dropbox access token
mapbox_secret            | sk.eyJ{w80}.{w22}                          | mapbox token
frameio_token            | fio-u-{w64}                                | frameio token
easypost_key             | EZAK{n54}                                  | easypost api key
shippo_token             | shippo_live_{h40}                          | shippo token
duffel_token             | duffel_live_{w43}                          | duffel token
readme_key               | rdme_{a70}                                 | readme api key
postman_key              | PMAK-{h24}-{h34}                           | postman api key
facebook_token           | EAA{n120-170}                              | facebook access token
twitter_bearer           | AAAAAAAAAAAAAAAAAAAAA{n80-90}              | twitter bearer token
yandex_key               | AQVN{w36}                                  | yandex api key
yandex_oauth             | y0_{w55}                                   | yandex token
tailscale_auth           | tskey-auth-{n11}CNTRL-{n32}                | ts authkey
tailscale_api            | tskey-api-{n11}CNTRL-{n32}                 | tailscale api key
age_secret_key           | AGE-SECRET-KEY-1{q58}                      | sops age key
bitcoin_xprv             | xprv{n107}                                 | wallet key
prefect_key              | pnu_{a36}                                  | prefect api key
adafruit_key             | aio_{n28}                                  | adafruit io key
wakatime_key             | waka_U                                     | wakatime api key
pubnub_secret            | sec-c-{b54}                                | pubnub secret key
workos_key               | sk_test_{n64}                              | workos api key
stytch_secret            | secret-live-{w36}                          | stytch secret
imagekit_private         | private_{b27}=                             | imagekit private key
unkey_root               | unkey_{n22}                                | unkey root key
"""

_BY_NAME = """
aws_secret_key           | {b40}           | aws secret access key
azure_storage_key        | {b86}==         | azure storage account key
ably_key                 | {n6}.{n6}:{w43} | ably api key
okta_token               | 00{w40}         | okta api token
datadog_api_key          | {h32}           | dd api key
datadog_app_key          | {h40}           | datadog app key
linode_token             | {h64}           | linode token
hetzner_token            | {n64}           | hcloud token
cloudflare_token         | {w40}           | cloudflare api token
cloudflare_global_key    | {h37}           | cloudflare api key
vercel_token             | {n24}           | vercel token
scaleway_secret          | U               | scw secret key
railway_token            | U               | railway token
alibaba_secret           | {n30}           | alibaba access key secret
tencent_secret           | {n32}           | tencent secret key
ibm_cloud_key            | {w44}           | ibmcloud api key
twilio_auth_token        | {h32}           | twilio auth token
mistral_key              | {n32}           | mistral api key
cohere_key               | {n40}           | cohere api key
wandb_key                | {h40}           | wandb api key
deepgram_key             | {h40}           | deepgram api key
assemblyai_key           | {h32}           | assemblyai api key
exa_key                  | U               | exa api key
azure_openai_key         | {h32}           | azure openai api key
azure_speech_key         | {n84}           | azure speech subscription key
codecov_token            | U               | codecov token
travis_token             | {n22}           | travis api token
jenkins_token            | 11{h32}         | jenkins api token
coveralls_token          | {n33}           | coveralls repo token
snyk_legacy_token        | U               | snyk token
pagerduty_key            | {w20}           | pagerduty api key
opsgenie_key             | U               | opsgenie api key
splunk_hec_token         | U               | splunk hec token
rollbar_token            | {h32}           | rollbar access token
bugsnag_key              | {h32}           | bugsnag api key
postmark_token           | U               | postmark server token
mailjet_secret           | {h32}           | mailjet api secret
algolia_admin_key        | {h32}           | algolia admin api key
auth0_client_secret      | {w64}           | auth0 client secret
gitea_token              | {h40}           | gitea token
dropbox_app_secret       | {a15}           | dropbox app secret
pusher_secret            | {h20}           | pusher app secret
cloudinary_secret        | {w27}           | cloudinary api secret
rapidapi_key             | {h10}msh{h14}p1{h6}jsn{h12} | rapidapi key
trello_key               | {h32}           | trello api key
spotify_secret           | {h32}           | spotify client secret
twitch_secret            | {a30}           | twitch client secret
linkedin_secret          | {n16}           | linkedin client secret
ngrok_token              | {n27}_{n21}     | ngrok authtoken
wireguard_key            | {b43}=          | wireguard private key
ethereum_key             | 0x{h64}         | deployer private key
django_secret            | {n50}           | secret key
rails_master_key         | {h32}           | rails master key
laravel_app_key          | base64:{b43}=   | app key
jwt_signing_secret       | {n48}           | jwt secret
session_secret           | {h64}           | session secret
cookie_secret            | {w43}           | cookie secret
encryption_key           | {h64}           | encryption key
webhook_signing          | {h40}           | webhook signing secret
csrf_secret              | {n32}           | csrf secret
nextauth_secret          | {b43}=          | nextauth secret
oauth_client_secret      | {n32}           | oauth client secret
oauth_refresh_token      | {w64}           | refresh token
generic_api_key          | {n32}           | api key
generic_token            | {n40}           | access token
generic_auth_token       | {h40}           | auth token
generic_hex_secret       | {h32}           | shared secret
generic_base64_secret    | {b43}=          | signing key
deploy_key               | {n24}           | deploy token
license_key              | {A5}-{A5}-{A5}-{A5}-{A5} | license key
"""


def _read(table: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Read a table of kind, form and the words of the name."""
    rows = (line.split("|") for line in table.strip().splitlines())
    return {kind.strip(): (form.strip(), tuple(name.split())) for kind, form, name in rows}


FORMS = _read(_BY_FORM)
NAMED_ONLY = _read(_BY_NAME)
PASSWORD_NAMES = (
    *(("password",), ("db", "password"), ("smtp", "password"), ("admin", "password"), ("passwd",), ("user", "pwd")),
    *(("redis", "pass"), ("root", "password"), ("keystore", "password"), ("ldap", "bind", "password")),
    *(("mysql", "root", "password"), ("vpn", "passphrase"), ("postgres", "password"), ("login", "password")),
)
_PASSWORD_WORDS = (
    *("summer", "Dragon", "monkey", "Falcon", "winter", "Blue", "coffee", "Harbor", "tiger", "Maple", "orbit"),
    *("Silver", "kestrel", "Pepper", "garden", "Rocket", "lantern", "Copper", "velvet", "Juniper", "meadow"),
)
_LOOK_ALIKES = str.maketrans({"e": "3", "o": "0", "a": "4"})


def key(random: Random, form: str) -> str:
    """A key of the given form."""
    if form == "U":
        return uuid(random)
    if form.endswith(("-U", "_U")):
        return form[:-1] + uuid(random)
    return fill(random, form)


def password(random: Random) -> str:
    """A password as people and generators choose them; no quotes, backslashes or spaces."""
    chosen = random.sample(_PASSWORD_WORDS, 3)
    style = random.choice(("word and year", "three words", "look-alikes", "symbols", "letters", "letters"))
    if style == "word and year":
        return chosen[0].capitalize() + str(random.randint(10, 9999)) + random.choice("!#*?.")
    if style == "three words":
        return random.choice("-_.").join(chosen) + str(random.randint(1, 99))
    if style == "look-alikes":
        return chosen[0].translate(_LOOK_ALIKES) + random.choice("!@#") + fill(random, "{d3}")
    if style == "symbols":
        return "".join(random.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%*+-_.?^~", k=16))
    return fill(random, random.choice(("{n12}", "{n16}", "{n20}", "{u24}", "{n10}!")))


def url_password(random: Random) -> str:
    """A password that may stand in a URL as it is."""
    return "".join(letter if letter.isalnum() else random.choice("-_.~") for letter in password(random))
