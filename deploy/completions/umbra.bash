# SPDX-License-Identifier: Apache-2.0
# bash completion of umbra

_umbra() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local configuration="--file --role --labels --namespace --bind --map-port --endpoint --shadow-host-suffix --help"
    # bash splits --FLAG=VALUE in three words
    if [ "$cur" = = ]; then
        cur=
    elif [ "$prev" = = ]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $prev in
    -f | --file | --access-log)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --role) set -- gateway sidecar ;;
    --shadow-host-suffix | --shadow-istio-metrics) set -- on off ;;
    --access-log-format) set -- text json ;;
    --log-level) set -- debug info warning error ;;
    --admin) set -- 127.0.0.1:15000 off ;;
    --format) if [ "${COMP_WORDS[1]}" = check ]; then set -- text json github; else set -- text json; fi ;;
    --labels | --namespace | --bind | --map-port | --endpoint | --workers | --shadow-memory | --drain-time | --max-head-bytes | \
        --max-fields | --header-timeout | --idle-timeout | -H | --header) return ;;
    *)
        case ${COMP_WORDS[1]} in
        run)
            set -- $configuration --workers --admin --access-log --access-log-format --shadow-memory --shadow-istio-metrics --drain-time \
                --max-head-bytes --max-fields --header-timeout --idle-timeout --log-level
            ;;
        check) set -- $configuration --format ;;
        explain) set -- $configuration --header --format ;;
        *) set -- run check explain --version --help ;;
        esac
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}
complete -F _umbra umbra
