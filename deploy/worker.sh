# Read by entrypoint.sh: a node. This container's network namespace is the node's; a Docker engine of its own, a kubelet
# and a proxy run in it. This shell is their systemd: one that ends is started again, and orphans are reaped by `wait`.

# keep NAME COMMAND… &: in a shell of its own, runs the command again whenever it ends, until told to stop
keep() {
  name=$1 ending= child=
  shift
  trap 'ending=yes; kill "$child" 2>/dev/null || :' TERM
  while [ -z "$ending" ]; do
    "$@" &
    child=$!
    status=0
    wait "$child" || status=$?
    [ -z "$ending" ] || break
    echo "worker: $name ended with $status, starting it again" >&2
    sleep 1 || :
  done
  # A trap ends the first wait before the program has ended.
  wait "$child" || :
}

# The kubelet and the proxy first, so that nobody works on containers of an engine that goes.
stop() {
  trap '' TERM INT
  for process in $kubelet $proxy $engine; do
    kill "$process" 2>/dev/null || :
    wait "$process" || :
  done
  exit 0
}

# On cgroup v2 only a group without processes of its own can hand controllers to groups below it.
delegate_cgroups() {
  group=/sys/fs/cgroup
  [ -f $group/cgroup.controllers ] || return 0
  mkdir -p $group/init
  while read -r process; do
    echo "$process" >$group/init/cgroup.procs 2>/dev/null || : # it has ended meanwhile
  done <$group/cgroup.procs
  for controller in $(cat $group/cgroup.controllers); do echo "+$controller" >$group/cgroup.subtree_control; done
}

node=$(hostname)
engine= kubelet= proxy=
trap stop TERM INT
# Volumes of pods that ask for it see what others mount.
mount --make-rshared /
delegate_cgroups

# The kubelet wires pods, so the engine makes no network and no rule. Its data are on a volume: overlays cannot be stacked.
keep engine dockerd \
  --host=unix:///var/run/docker.sock \
  --data-root="$data/docker" \
  --bridge=none --iptables=false --ip6tables=false --ip-masq=false \
  --live-restore --log-level=warn \
  $(wherry engine runtime) &
engine=$!
until docker version >/dev/null 2>&1; do sleep 0.3; done
# Before the node says that it is ready: a pod of the tour would look for its image in a registry.
wherry image samples || echo 'worker: no sample images' >&2

keep kubelet program kubelet \
  --kubeconfig="$credentials/kubelet.conf" \
  --hostname-override="$node" \
  --node-ip="$(address)" \
  --root-dir="$data/kubelet" \
  --cluster-name=compose \
  --cluster-cidr="$cluster_cidr" \
  --cluster-dns="$dns_address" \
  --cluster-domain=cluster.local \
  --client-ca-file="$credentials/ca.crt" \
  --tls-cert-file="$credentials/kubelet.crt" \
  --tls-private-key-file="$credentials/kubelet.key" \
  --capacity-divisor="$(echo "$workers" | wc -w)" \
  "$@" &
kubelet=$!
keep proxy program proxy \
  --kubeconfig="$credentials/proxy.conf" \
  --hostname-override="$node" \
  --cluster-cidr="$cluster_cidr" &
proxy=$!
wait
echo 'worker: nothing is left to run' >&2
exit 1
