"""launchctl as a small shell script, which finishes later than it returns, as the real one.

Its answers are the ones of launchctl(1) on macOS 14 to 26, with one agent that is kept as one file.
bootout: 36 while the process ends, 3 without the label; the label is loaded until about 5 s later, here for some calls.
  bootstrap meanwhile: 5 (https://github.com/headroomlabs-ai/headroom/issues/1289, ten times in 5 s) or 37
  (https://github.com/Layr-Labs/d-inference/issues/1102).
bootstrap: RunAtLoad does not always start it: "state = not running", "(never exited)"
  (https://github.com/openbase-community/openbase/pull/15); 125 without a session with a display.
  Also 5 in a login over ssh without a session on the screen, where `print gui/UID` fails (psimaker/vaultsync issue 89), and for
  a disabled label (NoeFabris/opencode-antigravity-auth issue 543); 122 for a file that others may write to ("Path had bad
  ownership/permissions", shadowsocks/ShadowsocksX-NG pull request 448).
print: "last exit code = 78: EX_CONFIG" where launchd cannot open the log or start the program (LrGenius/LrGeniusAI pull
  request 298); "last terminating signal" in place of the exit code after a signal.
print-disabled: `"label" => disabled` from macOS 13 on, `=> true` before (usnistgov/macos_security issue 167).
kickstart: 113 without the label (https://github.com/NousResearch/hermes-agent/pull/5536), 37 when it is starting.
"""

LAUNCHCTL = """#!/bin/sh
cd "$STAND_IN" || exit 70
echo "$*" >> calls
if [ -e no-gui ]; then case "$1" in
  bootstrap) echo "Bootstrap failed: 5: Input/output error" >&2; exit 5 ;;
  print) [ -z "${2##user/*}" ] || { echo "Could not find domain for user gui: 501" >&2; exit 113; } ;;
esac; fi
[ ! -e no-display ] || { echo "$1 failed: 125: Domain does not support specified action" >&2; exit 125; }
if [ -e ending ]; then  # each call is some time later than the one before
  if [ "$(cat ending)" = never ]; then :
  elif [ "$(cat ending)" -le 0 ]; then rm -f agent ending pid exit
  else echo $(($(cat ending) - 1)) > ending; fi
fi
run() {
  if [ -e fails ]; then cp fails exit; cat words >> "$LOG"; return; fi
  echo $(($(cat last-pid) + 1)) > last-pid; cp last-pid pid
}
missing() { echo "Could not find service \\"$1\\" in domain for user gui: 501" >&2; exit 113; }
case "$1" in
  print) [ "${2#*/*/}" != "$2" ] || exit 0  # the domain
    [ -e agent ] || missing "$2"
    [ ! -e in-user-domain ] || [ -z "${2##user/*}" ] || missing "$2"
    state="not running"; [ ! -e pid ] || state=running
    printf '%s = {\\n\\tstate = %s\\n' "$2" "$state"
    [ ! -e pid ] || printf '\\tpid = %s\\n' "$(cat pid)"
    if [ -e signal ]; then printf '\\tlast terminating signal = %s\\n' "$(cat signal)"
    else printf '\\tlast exit code = %s\\n' "$(cat exit 2>&- || echo '(never exited)')"; fi
    printf '\\tnested = {\\n\\t\\tpid = 1\\n\\t}\\n}\\n' ;;
  print-disabled) printf 'disabled services = {\\n'
    [ ! -e disabled ] || printf '\\t"%s" => %s\\n' io.github.openbalance-hid "$(cat disabled)"
    printf '\\t"com.example.helper" => disabled\\n\\t"io.github.openbalance-hid.other" => disabled\\n}\\n' ;;
  bootstrap)
    if [ -e ending ] && [ -e answers-37 ]; then echo "Bootstrap failed: 37: Operation already in progress" >&2; exit 37; fi
    if [ -n "$(find "$3" -perm -020 -o -perm -002)" ]; then
      echo "Bootstrap failed: 122: Path had bad ownership/permissions" >&2; exit 122
    fi
    if [ -e agent ] || [ -e refuses ]; then echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; fi
    cp "$3" agent; [ ! -e starts-at-load ] || run ;;
  bootout) [ -e agent ] || { echo "Boot-out failed: 3: No such process" >&2; exit 3; }
    [ -e ending ] || cp slowness ending
    echo "Boot-out failed: 36: Operation now in progress" >&2; exit 36 ;;
  kickstart) [ -e agent ] || missing "$2"
    if [ "$2" != -k ] && [ -e pid ]; then echo "Could not kickstart service: 37: Operation already in progress" >&2; exit 37; fi
    rm -f pid; run ;;
  enable) rm -f disabled ;;
  *) exit 64 ;;
esac
"""
