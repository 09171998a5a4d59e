/**
 * Who the embedded database runs as. PostgreSQL refuses to run as root, so root hands it to another user of the machine, who must be
 * able to reach the folder: where only root may enter, that is refused with the commands that change it.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { InputError, ResourceError } from '../errors.ts';

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** In this order: one made for Roslin, PostgreSQL's own, and the one that every system has. */
const CANDIDATES = ['roslin', 'postgres', 'nobody'] as const;

/** Undefined for anybody but root: the database then runs as the same user. */
export function databaseUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout?.trim());
    if (uid && gid && uid !== '0') return { uid: Number(uid), gid: Number(gid) };
  }
  throw new ResourceError({
    expected: 'a user other than root for the embedded database', found: `none of ${CANDIDATES.join(', ')}`, where: 'this machine',
    remedy: 'Run "useradd --system roslin", or start Roslin as another user than root, or set DATABASE_URL to a PostgreSQL of your own.',
  });
}

/** Throws InputError, naming the folder on the way that keeps `user` out. */
export function requireReachable(folder: string, user: SystemUser): void {
  const ways: string[] = [];
  for (let at = dirname(folder); ; at = dirname(at)) {
    ways.unshift(at);
    if (dirname(at) === at) break;
  }
  const closed = ways.find((at) => !mayEnter(at, user));
  if (closed === undefined) return;
  throw new InputError({
    expected: 'a workspace that the database can reach; PostgreSQL does not run as root', found: `${closed}, which only root may enter`, where: folder,
    remedy: `Give "--workspace /var/lib/roslin", or let others pass through with "chmod o+x ${closed}", or start Roslin as another user than root.`,
  });
}

/** Tried, not computed from mode bits: access lists and mounts have a say too. */
const mayEnter = (folder: string, user: SystemUser): boolean => spawnSync('/bin/sh', ['-c', 'cd "$0"', folder], { stdio: 'ignore', cwd: '/', ...user }).status === 0;
