# For the runners in this folder: `. ../tools.sh`. Where things are, what to skip, and environments at pinned versions.
set -euo pipefail
project="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
tools="${CARGO_TARGET_DIR:-$project/target}/test-tools"
mkdir -p "$tools"
tools="$(cd "$tools" && pwd)"
DUNDERSTAND="${DUNDERSTAND:-${CARGO_TARGET_DIR:-$project/target}/debug/dunderstand}"
export DUNDERSTAND

# Says why nothing runs, and ends: a failure in CI.
skip() {
    echo "skipped: $*"
    if [ "${CI:-}" = true ]; then exit 1; fi
    exit 0
}

# environment NAME REQUIREMENTS: a virtual environment with what the file names; prints its folder, fails if there is none.
environment() {
    local folder="$tools/$1" wanted
    wanted="$(cat "$2")"
    if [ ! -x "$folder/bin/python" ] || [ "$(cat "$folder/.wanted" 2>/dev/null)" != "$wanted" ]; then
        rm -rf "$folder"
        python3 -m venv "$folder" >&2 || return 1
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2" >&2 || return 1
        printf '%s' "$wanted" >"$folder/.wanted"
    fi
    printf '%s' "$folder"
}

[ -x "$DUNDERSTAND" ] || { echo "no $DUNDERSTAND; run cargo build --locked first" >&2; exit 2; }
