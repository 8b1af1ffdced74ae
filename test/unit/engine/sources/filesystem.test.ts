import { statfsSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { filesystems } from '../../../../src/engine/sources/filesystem.ts';
import { parseMounts, type Mount } from '../../../../src/engine/sources/mounts.ts';
import { askSpace, type Space } from '../../../../src/engine/sources/space.ts';
import { Recorder, openTree } from './recorder.ts';

const parse = (...lines: string[]): Mount[] => parseMounts(Buffer.from(lines.map((line) => `${line}\n`).join('')));
const points = (...lines: string[]): string[] => parse(...lines).map((mount) => mount.point);

describe('mounts', () => {
  test('a mount, with blanks in its names', () => {
    expect(parse('//server/my\\040share /mnt/a\\134b\\040c cifs ro,relatime 0 0')).toEqual([
      { device: '//server/my share', point: '/mnt/a\\b c', type: 'cifs', readOnly: true, local: false },
    ]);
  });

  test('views of the kernel and what the system mounts for itself are left out, shared memory is not', () => {
    expect(
      points(
        'proc /proc proc rw 0 0',
        'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0',
        'tmpfs /run/user/1000 tmpfs rw 0 0',
        'tmpfs /dev/shm tmpfs rw 0 0',
        'tmpfs /dev/lock tmpfs rw 0 0',
        'tmpfs /tmp tmpfs rw 0 0',
        '/dev/sda1 / ext4 rw 0 0',
        'overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0',
        'overlay /srv/x overlay rw 0 0',
        '/dev/loop3 /snap/x squashfs ro 0 0',
      ),
    ).toEqual(['/dev/shm', '/tmp', '/']);
  });

  test('one disk in several places is told once; of two on one place, the one on top', () => {
    expect(
      parse(
        'overlay / overlay rw 0 0',
        '/dev/sda1 /etc/hosts ext4 rw 0 0',
        '/dev/sda1 /etc/hostname ext4 rw 0 0',
        'nfs1:/a /data nfs4 rw 0 0',
        'nfs1:/b /data nfs4 rw 0 0',
      ).map(({ device, point }) => `${device} ${point}`),
    ).toEqual(['overlay /', '/dev/sda1 /etc/hosts', 'nfs1:/b /data']);
  });

  test('only what is known to be local is local', () => {
    const types = ['ext4', 'xfs', 'tmpfs', 'nfs4', 'lustre', 'fuse.sshfs', 'beegfs', 'new2030'];
    const local = parse(...types.map((type) => `/dev/${type} /mnt/${type} ${type} rw 0 0`)).filter((m) => m.local);
    expect(local.map((mount) => mount.type)).toEqual(['ext4', 'xfs', 'tmpfs']);
  });

  test.each(['', 'x', 'a b', 'a b c', 'a relative ext4 rw 0 0', 'a /cut ext4 rw 0 0'])('%j is none', (line) => {
    expect(parseMounts(Buffer.from(line))).toEqual([]);
  });
});

const space: Space = { size: 1000, available: 250, files: 10, filesFree: 4 };

function rig(ask: (mount: Mount) => Promise<Space>, mounts: string) {
  const tree = openTree('written-arm64');
  onTestFinished(tree.remove);
  tree.write('proc/self/mounts', mounts);
  tree.write('sys/class/block/nvme0n1/queue/rotational', '0\n');
  tree.write('sys/class/block/sda/queue/rotational', '1\n');
  const instance = filesystems({ ask }).open(tree.roots)!;
  onTestFinished(() => void instance.close());
  return { tree, instance, out: new Recorder() };
}

test('names and labels are those of the Rust proxy', async () => {
  const mounts = '/dev/sda / ext4 rw 0 0\n/dev/nvme0n1 /scratch xfs ro 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n';
  const { instance, out } = rig(async () => space, mounts);
  instance.sample(out, 0);
  await instance.settled!();
  instance.sample(out, 1);
  const root = '{kind="HDD",device="/dev/sda",fs="ext4",mountpoint="/"}';
  const scratch = '{kind="SSD",device="/dev/nvme0n1",fs="xfs",mountpoint="/scratch"}';
  expect(out.value(`proxy_disk_size_bytes${root}`)).toBe(1000);
  expect(out.value(`proxy_disk_free_size_bytes${root}`)).toBe(250);
  expect(out.value(`proxy_disk_used_size_bytes${root}`)).toBe(750);
  expect(out.value(`proxy_disk_usage_percent${root}`)).toBe(75);
  expect(out.value(`proxy_filesystem_files_free${root}`)).toBe(4);
  expect(out.value(`proxy_filesystem_readonly${root}`)).toBe(0);
  expect(out.value(`proxy_filesystem_readonly${scratch}`)).toBe(1);
  expect(out.value(`proxy_filesystem_device_error${scratch}`)).toBe(0);
  expect(out.names().filter((name) => name.includes('kind="Unknown",device="tmpfs"'))).not.toEqual([]);
});

test('one that does not answer is told as such, and keeps no value; the others go on', async () => {
  const mounts = '/dev/sda / ext4 rw 0 0\nnfs1:/home /home nfs4 rw 0 0\n';
  const ask = async (mount: Mount): Promise<Space> => {
    if (!mount.local) throw new Error('no answer');
    return space;
  };
  const { instance, out } = rig(ask, mounts);
  instance.sample(out, 0);
  await instance.settled!();
  instance.sample(out, 1);
  const home = '{kind="Unknown",device="nfs1:/home",fs="nfs4",mountpoint="/home"}';
  expect(out.value(`proxy_filesystem_device_error${home}`)).toBe(1);
  expect(out.value(`proxy_disk_size_bytes${home}`)).toBeUndefined();
  expect(out.value('proxy_disk_size_bytes{kind="HDD",device="/dev/sda",fs="ext4",mountpoint="/"}')).toBe(1000);
});

test('one that hangs for ever does not hold the tick', () => {
  const { instance, out } = rig(() => new Promise(() => {}), '/dev/sda / ext4 rw 0 0\n');
  for (let i = 0; i < 5; i++) instance.sample(out, 1);
  expect(out.names()).toEqual([]);
});

test('this machine’s root says what statfs says', async () => {
  const mount: Mount = { device: 'x', point: '/', type: 'ext4', readOnly: false, local: true };
  const wanted = statfsSync('/');
  expect(await askSpace(mount)).toMatchObject({ size: wanted.bsize * wanted.blocks });
});
