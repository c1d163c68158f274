#!/bin/sh
# Waits for the end of standard input, which comes when the process that owns the folder closes it or dies, however it dies.
# Then ends every process that was started in the folder, unmounts what is mounted below it, and removes it.
# Usage: sweep.sh FOLDER
set -u
directory=$1
trap '' INT TERM HUP
cat >/dev/null

# Programs carry the folder in their environment. What runs in containers does not, but containerd notes the pid of each.
tasks=$directory/containerd/state/io.containerd.runtime.v2.task/k8s.io
programs() { grep -lzs "^COFFER_SWEPT_FOLDER=$directory\$" /proc/[0-9]*/environ | cut -d/ -f3; }
contained() { for file in "$tasks"/*/init.pid; do [ -f "$file" ] && cat "$file" && echo; done; }
mounts() { cut -d' ' -f5 /proc/self/mountinfo | grep "^$directory/" | sort -r; }
# Control groups go when all that was in them has ended, and what is killed takes its time for that.
groups() {
  for id in $containers; do
    find /sys/fs/cgroup -depth -type d -path "*/$id*" -exec rmdir {} \; 2>/dev/null
    find /sys/fs/cgroup -type d -path "*/$id*" 2>/dev/null
  done
}

# What containerd's shim and kubelet put outside of any folder that they can be told.
containers=$(ls "$tasks" 2>/dev/null)
sockets=$(cat "$tasks"/*/address "$tasks"/*/bootstrap.json 2>/dev/null | grep -o '/run/containerd/s/[0-9a-f]*')

attempts=0
while [ $attempts -lt 600 ]; do
  attempts=$((attempts + 1))
  running="$(programs)"
  # Later their numbers may be others'.
  [ $attempts -lt 4 ] && running="$running $(contained)"
  [ -n "${running# }" ] && kill -KILL $running 2>/dev/null
  for mount in $(mounts); do umount -l "$mount" 2>/dev/null; done
  [ -z "$(programs)$(mounts)$(groups)" ] && break
  sleep 0.1
done

rm -f $sockets
for link in /var/log/containers/*; do
  [ -L "$link" ] && case $(readlink "$link") in "$directory"/*) rm -f "$link" ;; esac
done
# kubelet makes this one wherever its root is.
if [ -d "$directory/kubelet" ] && ! grep -qxs kubelet /proc/[0-9]*/comm; then
  rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  rmdir /var/lib/kubelet/device-plugins /var/lib/kubelet 2>/dev/null
fi
# Shared with other nodes of this machine: these go with the last one.
rmdir /sys/fs/cgroup/k8s.io /sys/fs/cgroup/*/k8s.io /run/containerd/s /run/containerd /var/log/containers 2>/dev/null
# Last, so that whoever waits for the folder's end finds nothing else left.
rm -rf --one-file-system "$directory" || { echo "sweep.sh: could not remove everything of $directory" >&2; exit 1; }
