#!/bin/sh
# Becomes the process that a service's command names. Further words of the command are flags for it: they come last and win.
set -eu

# The services of docker-compose.yml. Certificates and flags use names: addresses change with every `up`.
stores='store-1 store-2 store-3'
apiservers='apiserver-1 apiserver-2'
workers='worker-1 worker-2 worker-3'

home=/opt/wherry
credentials=/credentials
data=/var/lib/wherry
server=https://balancer:6443
service_cidr=10.96.0.0/12
cluster_cidr=10.244.0.0/16
dns_address=10.96.0.10
unprivileged=65532:65532

program() {
  name=$1
  shift
  exec "$home/bin/node" "$home/lib/programs/$name/main.mjs" "$@"
}

# Of this container in the compose network.
address() {
  hostname -i | cut -d' ' -f1
}

# joined PREFIX SUFFIX NAME…: "PREFIXaSUFFIX,PREFIXbSUFFIX"
joined() {
  prefix=$1 suffix=$2 list=
  shift 2
  for name; do list=$list${list:+,}$prefix$name$suffix; done
  echo "$list"
}

store() {
  name=$(hostname)
  cluster=
  for member in $stores; do cluster=$cluster${cluster:+,}$member=https://$member:2380; done
  program store \
    --name="$name" \
    --data-dir="$data/store" \
    --listen-client-urls=https://0.0.0.0:2379 \
    --advertise-client-urls="https://$name:2379" \
    --listen-peer-urls=https://0.0.0.0:2380 \
    --initial-advertise-peer-urls="https://$name:2380" \
    --initial-cluster="$cluster" \
    --listen-metrics-urls=http://127.0.0.1:2381 \
    --cert-file="$credentials/server.crt" \
    --key-file="$credentials/server.key" \
    --trusted-ca-file="$credentials/ca.crt" \
    --peer-cert-file="$credentials/peer.crt" \
    --peer-key-file="$credentials/peer.key" \
    --peer-trusted-ca-file="$credentials/ca.crt" \
    --peer-cert-allowed-cn=store \
    "$@"
}

apiserver() {
  # Kubelets are dialled by name: their certificates name no address that the next `up` would change.
  program apiserver \
    --bind-address=0.0.0.0 \
    --secure-port=6443 \
    --advertise-address="$(address)" \
    --etcd-servers="$(joined https:// :2379 $stores)" \
    --etcd-cafile="$credentials/etcd-ca.crt" \
    --etcd-certfile="$credentials/apiserver-etcd-client.crt" \
    --etcd-keyfile="$credentials/apiserver-etcd-client.key" \
    --client-ca-file="$credentials/ca.crt" \
    --tls-cert-file="$credentials/apiserver.crt" \
    --tls-private-key-file="$credentials/apiserver.key" \
    --service-account-key-file="$credentials/sa.pub" \
    --service-account-signing-key-file="$credentials/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-cluster-ip-range="$service_cidr" \
    --authorization-mode=Node,RBAC \
    --enable-bootstrap-token-auth=true \
    --kubelet-certificate-authority="$credentials/ca.crt" \
    --kubelet-client-certificate="$credentials/apiserver-kubelet-client.crt" \
    --kubelet-client-key="$credentials/apiserver-kubelet-client.key" \
    --kubelet-preferred-address-types=Hostname,InternalIP \
    --scheduler-healthz-url=http://scheduler-1:10259/healthz \
    --controller-manager-healthz-url=http://controller-manager-1:10257/healthz \
    "$@"
}

balancer() {
  program balancer \
    --listen=0.0.0.0:6443 \
    --backend="$(joined '' :6443 $apiservers)" \
    --backend-ca-file="$credentials/ca.crt" \
    "$@"
}

scheduler() {
  program scheduler \
    --kubeconfig="$credentials/kubeconfig" \
    --bind-address=0.0.0.0 \
    --leader-elect=true \
    "$@"
}

controller_manager() {
  program controller-manager \
    --kubeconfig="$credentials/kubeconfig" \
    --bind-address=0.0.0.0 \
    --leader-elect=true \
    --controllers='*,bootstrapsigner,tokencleaner' \
    --allocate-node-cidrs=true \
    --cluster-cidr="$cluster_cidr" \
    --node-cidr-mask-size=24 \
    --service-cluster-ip-range="$service_cidr" \
    --root-ca-file="$credentials/ca.crt" \
    --service-account-private-key-file="$credentials/sa.key" \
    --cluster-signing-cert-file="$credentials/ca.crt" \
    --cluster-signing-key-file="$credentials/ca.key" \
    "$@"
}

dns() {
  program dns \
    --kubeconfig="$credentials/kubeconfig" \
    --bind-address="$(address)" \
    --port=10053 \
    --cluster-domain=cluster.local \
    "$@"
}

# Waits for the API, and creates what every cluster has beyond the API server's own objects.
addons() {
  until KUBECONFIG=$credentials/kubeconfig wherry addons apply; do sleep 1; done
}

# give NAME OWNER FILE…: what one service may know, into its own volume
give() {
  folder=$credentials/$1 owner=$2
  shift 2
  cp "$@" "$folder/"
  chown -R "$owner" "$folder"
}

kubeconfig_for() {
  wherry pki kubeconfig "$1" --name compose --out "$data" --server "$2" --file "$3"
}

# Makes what is missing of keys and certificates, and hands out to each service its own.
pki() {
  umask 077
  pki=$data/pki
  names='--apiserver-address balancer'
  for name in $apiservers "${WHERRY_ADDRESS:-127.0.0.1}"; do names="$names --apiserver-address $name"; done
  wherry pki init --name compose --out "$data" $names
  for name in $stores; do
    wherry pki store "$name" --out "$data" --address "$name"
    give "$name" "$unprivileged" "$pki/etcd/$name/server.crt" "$pki/etcd/$name/server.key" \
      "$pki/etcd/$name/peer.crt" "$pki/etcd/$name/peer.key" "$pki/etcd/ca.crt"
  done
  for name in $workers; do
    wherry pki node "$name" --out "$data"
    kubeconfig_for "node/$name" "$server" "$credentials/$name/kubelet.conf"
    kubeconfig_for proxy "$server" "$credentials/$name/proxy.conf"
    give "$name" 0:0 "$pki/nodes/$name/kubelet.crt" "$pki/nodes/$name/kubelet.key" "$pki/ca.crt"
  done
  for name in scheduler controller-manager dns admin; do
    kubeconfig_for "$name" "$server" "$credentials/$name/kubeconfig"
    give "$name" "$unprivileged" "$pki/ca.crt"
  done
  give controller-manager "$unprivileged" "$pki/ca.key" "$pki/sa.key"
  give balancer "$unprivileged" "$pki/ca.crt"
  cp "$pki/etcd/ca.crt" "$credentials/apiserver/etcd-ca.crt"
  give apiserver "$unprivileged" "$pki/apiserver.crt" "$pki/apiserver.key" \
    "$pki/apiserver-etcd-client.crt" "$pki/apiserver-etcd-client.key" \
    "$pki/apiserver-kubelet-client.crt" "$pki/apiserver-kubelet-client.key" \
    "$pki/ca.crt" "$pki/sa.key" "$pki/sa.pub"
  # The administrator's own, for the host: it belongs to whom the folder belongs.
  kubeconfig_for admin "https://${WHERRY_ADDRESS:-127.0.0.1}:${WHERRY_PORT:-6443}" /host/kubeconfig
  chown --reference=/host /host/kubeconfig
}

role=${1:?name a role: pki, store, apiserver, balancer, scheduler, controller-manager, dns, addons or worker}
shift
case $role in
  pki | store | apiserver | balancer | scheduler | dns | addons) "$role" "$@" ;;
  controller-manager) controller_manager "$@" ;;
  worker) . "$home/worker.sh" ;;
  *) exec "$role" "$@" ;;
esac
