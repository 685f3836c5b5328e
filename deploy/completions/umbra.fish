# SPDX-License-Identifier: Apache-2.0
# fish completion of umbra

set -l commands run check explain
complete -c umbra -f
complete -c umbra -n "not __fish_seen_subcommand_from $commands" -a run -d 'serve traffic and send copies'
complete -c umbra -n "not __fish_seen_subcommand_from $commands" -a check -d 'print every error and warning of the configuration'
complete -c umbra -n "not __fish_seen_subcommand_from $commands" -a explain -d 'say what would become of one request'
complete -c umbra -n "not __fish_seen_subcommand_from $commands" -l version -d 'print the version'
complete -c umbra -s h -l help -d 'print help'

set -l any "__fish_seen_subcommand_from $commands"
complete -c umbra -n $any -s f -l file -r -F -d 'configuration: file, directory or -'
complete -c umbra -n $any -l role -x -a 'gateway sidecar' -d 'what this proxy is'
complete -c umbra -n $any -l labels -x -d 'labels of this proxy: KEY=VALUE,...'
complete -c umbra -n $any -l namespace -x -d 'namespace of this proxy'
complete -c umbra -n $any -l bind -x -d 'address to listen on'
complete -c umbra -n $any -l map-port -x -d 'listen on another port than the YAML names: PORT=PORT,...'
complete -c umbra -n $any -l endpoint -x -d 'one more endpoint: HOST[,KEY=VALUE...]=ADDR:PORT'
complete -c umbra -n $any -l shadow-host-suffix -x -a 'on off' -d 'append -shadow to the Host of copies'

set -l run '__fish_seen_subcommand_from run'
complete -c umbra -n $run -l workers -x -d 'worker threads'
complete -c umbra -n $run -l admin -x -a '127.0.0.1:15000 off' -d 'address of the admin interface'
complete -c umbra -n $run -l access-log -r -F -a 'off stdout' -d 'where the access log goes'
complete -c umbra -n $run -l access-log-format -x -a 'text json' -d "form of the access log's lines"
complete -c umbra -n $run -l shadow-memory -x -d 'bound of the memory held for copies'
complete -c umbra -n $run -l shadow-istio-metrics -x -a 'on off' -d "count copies in Istio's metrics too"
complete -c umbra -n $run -l drain-time -x -d 'how long SIGTERM waits'
complete -c umbra -n $run -l max-head-bytes -x -d 'longest head'
complete -c umbra -n $run -l max-fields -x -d 'most header fields'
complete -c umbra -n $run -l header-timeout -x -d 'how long a client may take to send a head'
complete -c umbra -n $run -l idle-timeout -x -d "how long a client's connection may be idle"
complete -c umbra -n $run -l log-level -x -a 'debug info warning error' -d 'least level of messages'

complete -c umbra -n '__fish_seen_subcommand_from check' -l format -x -a 'text json github' -d 'form of the diagnostics'
complete -c umbra -n '__fish_seen_subcommand_from explain' -l format -x -a 'text json' -d 'form of the answer'
complete -c umbra -n '__fish_seen_subcommand_from explain' -s H -l header -x -d 'a header field of the request'
