#!/bin/sh
# Waits for the end of standard input, which comes when the process that started the cluster closes it or dies, however it
# dies. Then ends every process of the cluster, unmounts what is mounted below its folder, and removes the folder.
# Usage: sweep.sh FOLDER
set -u
directory=$1
trap '' INT TERM HUP
cat >/dev/null

# Programs carry the folder in their environment; what runs in containers does not, but containerd notes the pid of each.
programs() { grep -lzs "^COFFER_CLUSTER_FOLDER=$directory\$" /proc/[0-9]*/environ | cut -d/ -f3; }
containers() { cat "$directory"/node/*/state/io.containerd.runtime.v2.task/*/*/init.pid 2>/dev/null | xargs -n1 2>/dev/null; }
mounts() { cut -d' ' -f5 /proc/self/mountinfo | grep "^$directory/" | sort -r; }
cgroups() { find /sys/fs/cgroup -depth -type d -path "*/$(basename "$directory")*" 2>/dev/null; }

for attempt in 1 2 3 4 5 6 7 8 9 10; do
  inside=$(containers)
  pids=$(programs)
  [ -n "$inside$pids" ] && kill -KILL $pids $inside 2>/dev/null
  for mount in $(mounts); do umount -l "$mount" 2>/dev/null; done
  if [ -z "$(programs)$(mounts)" ] && rm -rf --one-file-system "$directory" 2>/dev/null && [ ! -e "$directory" ]; then
    cgroups | while read -r group; do rmdir "$group" 2>/dev/null; done
    exit 0
  fi
  sleep 0.2
done
echo "sweep.sh: could not remove everything of $directory" >&2
exit 1
