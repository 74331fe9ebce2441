/** What happens to a unit: `stop and start` are two lines of what is printed, `skip` is "would NOT stop …". */
export type UnitAction = 'nothing' | 'stop' | 'start' | 'stop and start' | 'restart' | 'reload' | 'skip';

/** Files by their names in etc/systemd/system; null is a link to /dev/null, which masks the unit. */
export type UnitFiles = Readonly<Record<string, string | null>>;

/** One change of unit files, and what switch-to-configuration does about it. */
export interface UnitCase {
  what: string;
  before: UnitFiles;
  after: UnitFiles;
  /** Units that are started by hand before the switch. */
  start: readonly string[];
  /** Those of them that fail. */
  fails?: readonly string[];
  /** All that happens to units of this case. */
  actions: Readonly<Record<string, UnitAction>>;
  /** What dry-activate prints, for units of which it knows less. */
  planned?: Readonly<Record<string, UnitAction>>;
}

type Sections = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** A unit file: section → key → value, or several values, each on its own line. */
function unitFile(sections: Sections): string {
  return Object.entries(sections)
    .map(([name, keys]) => {
      const lines = Object.entries(keys).flatMap(([key, value]) => [value].flat().map(each => `${key}=${each}\n`));
      return `[${name}]\n${lines.join('')}`;
    })
    .join('');
}

const sleep = '/bin/sleep infinity';
let number = 0;

/** A service that runs, and changes from `before` to `after`; what is given is added to `ExecStart`. */
function service(what: string, before: Sections, after: Sections, action: UnitAction): UnitCase {
  const name = `case${++number}.service`;
  const file = (sections: Sections): string =>
    unitFile({ ...sections, Service: { ExecStart: sleep, ...sections.Service } });
  return {
    what,
    before: { [name]: file(before) },
    after: { [name]: file(after) },
    start: [name],
    actions: { [name]: action },
  };
}

/** A change of one key of [Unit] from one value to another. */
function unitKey(key: string, before: string, after: string, action: UnitAction): UnitCase {
  return service(`[Unit] ${key} changes`, { Unit: { [key]: before } }, { Unit: { [key]: after } }, action);
}

/** A service whose environment changes, with options that define the action. */
function changed(what: string, options: Sections, action: UnitAction): UnitCase {
  const at = (value: string): Sections => ({ ...options, Service: { ...options.Service, Environment: `AT=${value}` } });
  return service(what, at('1'), at('2'), action);
}

const reload = '/bin/true';

const harmless = [
  ['Description', 'one', 'two'],
  ['Documentation', 'man:one(1)', 'man:two(1)'],
  ['OnFailure', 'one.target', 'two.target'],
  ['OnSuccess', 'one.target', 'two.target'],
  ['OnFailureJobMode', 'replace', 'fail'],
  ['IgnoreOnIsolate', 'no', 'yes'],
  ['StopWhenUnneeded', 'no', 'false'],
  ['RefuseManualStart', 'no', 'yes'],
  ['RefuseManualStop', 'no', 'yes'],
  ['AllowIsolate', 'no', 'false'],
  ['CollectMode', 'inactive', 'inactive-or-failed'],
  ['SourcePath', '/etc/one', '/etc/two'],
] as const;

const ofKeys: readonly UnitCase[] = [
  service('nothing changes', {}, {}, 'nothing'),
  ...harmless.map(([key, before, after]) => unitKey(key, before, after, 'nothing')),
  ...['Wants', 'After', 'Before', 'PartOf', 'X-Restart-Triggers'].map(key =>
    unitKey(key, 'one.target', 'two.target', 'stop and start'),
  ),
  unitKey('X-Reload-Triggers', 'one', 'two', 'reload'),
  service('X-Reload-Triggers is added', {}, { Unit: { 'X-Reload-Triggers': 'one' } }, 'reload'),
  service('X-Reload-Triggers goes', { Unit: { 'X-Reload-Triggers': 'one' } }, {}, 'nothing'),
  service('[Unit] goes, with a description only', { Unit: { Description: 'one' } }, {}, 'nothing'),
  service('[Unit] comes, with an order', {}, { Unit: { After: 'one.target' } }, 'stop and start'),
  service('[Install] changes', {}, { Install: { Alias: 'other.service' } }, 'nothing'),
  service('ExecStart changes', {}, { Service: { ExecStart: '/bin/sleep 1d' } }, 'stop and start'),
  service('a key comes', {}, { Service: { Nice: '5' } }, 'stop and start'),
  service('a key goes', { Service: { Nice: '5' } }, {}, 'stop and start'),
  service(
    'a value of several changes',
    { Service: { Environment: ['A=1', 'B=1'] } },
    { Service: { Environment: ['A=1', 'B=2'] } },
    'stop and start',
  ),
  service(
    'quotation marks around a value go',
    { Service: { Environment: '"A=1"' } },
    { Service: { Environment: 'A=1' } },
    'nothing',
  ),
  service(
    'an empty value takes back others',
    { Service: { Nice: ['5', '', '6'] } },
    { Service: { Nice: '6' } },
    'nothing',
  ),
  service('keys in another order', { Service: { Nice: '5' } }, { Service: { ExecStart: sleep, Nice: '5' } }, 'nothing'),
  service(
    'ExecReload changes',
    { Service: { ExecReload: '/bin/false' } },
    { Service: { ExecReload: reload } },
    'reload',
  ),
  service('ExecReload comes', {}, { Service: { ExecReload: reload } }, 'reload'),
  service('ExecReload goes', { Service: { ExecReload: reload } }, {}, 'nothing'),
  service('ExecReload and another key', {}, { Service: { ExecReload: reload, Nice: '5' } }, 'stop and start'),
].map(withReload);

/** A unit that is reloaded needs a command for it, unless the case is about that. */
function withReload(row: UnitCase): UnitCase {
  if (row.what.includes('ExecReload') || !Object.values(row.actions).includes('reload')) return row;
  const add = (files: UnitFiles): UnitFiles =>
    Object.fromEntries(
      Object.entries(files).map(([name, text]) => [
        name,
        text?.replace('[Service]\n', `[Service]\nExecReload=${reload}\n`) ?? null,
      ]),
    );
  return { ...row, before: add(row.before), after: add(row.after) };
}

const ofOptions: readonly UnitCase[] = [
  changed('without options', {}, 'stop and start'),
  changed('X-StopIfChanged=false', { Service: { 'X-StopIfChanged': 'false' } }, 'restart'),
  changed('X-StopIfChanged=no', { Service: { 'X-StopIfChanged': 'no' } }, 'restart'),
  changed(
    'X-StopIfChanged=false in [Unit], where it has no effect',
    { Unit: { 'X-StopIfChanged': 'false' } },
    'stop and start',
  ),
  changed('X-RestartIfChanged=false', { Service: { 'X-RestartIfChanged': 'false' } }, 'skip'),
  changed('X-RestartIfChanged=0', { Service: { 'X-RestartIfChanged': '0' } }, 'skip'),
  changed('X-RestartIfChanged=on', { Service: { 'X-RestartIfChanged': 'on' } }, 'stop and start'),
  changed('X-RestartIfChanged=false in [Unit]', { Unit: { 'X-RestartIfChanged': 'false' } }, 'stop and start'),
  changed('X-ReloadIfChanged=true', { Service: { 'X-ReloadIfChanged': 'true' } }, 'reload'),
  changed('X-ReloadIfChanged=yes', { Service: { 'X-ReloadIfChanged': 'yes' } }, 'reload'),
  changed('X-ReloadIfChanged=false', { Service: { 'X-ReloadIfChanged': 'false' } }, 'stop and start'),
  changed('X-ReloadIfChanged=true in [Unit]', { Unit: { 'X-ReloadIfChanged': 'true' } }, 'stop and start'),
  changed(
    'X-ReloadIfChanged=true and X-RestartIfChanged=false',
    { Service: { 'X-ReloadIfChanged': 'true', 'X-RestartIfChanged': 'false' } },
    'reload',
  ),
  changed(
    'X-StopIfChanged=false and X-RestartIfChanged=false',
    { Service: { 'X-StopIfChanged': 'false', 'X-RestartIfChanged': 'false' } },
    'skip',
  ),
  changed('RefuseManualStop=yes', { Unit: { RefuseManualStop: 'yes' } }, 'skip'),
  changed('X-OnlyManualStart=yes', { Unit: { 'X-OnlyManualStart': 'yes' } }, 'skip'),
  service('X-RestartIfChanged=false is new', {}, { Service: { 'X-RestartIfChanged': 'false' } }, 'skip'),
].map(withReload);

const gone = (what: string, unit: Readonly<Record<string, string>>, after: UnitFiles, action: UnitAction): UnitCase => {
  const row = service(what, { Unit: unit }, {}, action);
  const name = Object.keys(row.before)[0] ?? '';
  return { ...row, after: Object.fromEntries(Object.entries(after).map(([, text]) => [name, text])) };
};

const running = (environment: string, more: Readonly<Record<string, string>> = {}): string =>
  unitFile({ Service: { ExecStart: sleep, Environment: environment, ...more } });
// It wants its socket, since a socket cannot start after its service has.
const notSocketActivated = (environment: string): string =>
  `[Unit]\nWants=s3.socket\n${running(environment, { 'X-NotSocketActivated': 'true' })}`;
const socket = (path: string): string => unitFile({ Socket: { ListenStream: path } });
const mount = (where: string, options: string, type = 'tmpfs'): string =>
  unitFile({ Mount: { What: type, Where: where, Type: type, Options: options } });

const ofKinds: readonly UnitCase[] = [
  gone('the unit is gone', {}, {}, 'stop'),
  gone('the unit is masked', {}, { masked: null }, 'stop'),
  gone('the unit is gone, with X-StopOnRemoval=false', { 'X-StopOnRemoval': 'false' }, {}, 'nothing'),
  {
    what: 'a unit that failed has changed',
    before: { 'failed.service': unitFile({ Service: { Type: 'oneshot', ExecStart: '/bin/false' } }) },
    after: { 'failed.service': unitFile({ Service: { Type: 'oneshot', ExecStart: '/bin/true' } }) },
    start: ['failed.service'],
    fails: ['failed.service'],
    actions: { 'failed.service': 'nothing' },
  },
  {
    what: 'a unit that does not run has changed',
    before: { 'idle.service': running('AT=1') },
    after: { 'idle.service': running('AT=2') },
    start: [],
    actions: { 'idle.service': 'nothing' },
  },
  {
    what: 'a drop-in changes',
    before: { 'dropin.service': running('AT=1'), 'dropin.service.d/more.conf': '[Service]\nNice=5\n' },
    after: { 'dropin.service': running('AT=1'), 'dropin.service.d/more.conf': '[Service]\nNice=6\n' },
    start: ['dropin.service'],
    actions: { 'dropin.service': 'stop and start' },
  },
  {
    what: 'a drop-in says what the unit said',
    before: { 'moved.service': running('AT=1', { Nice: '5' }) },
    after: { 'moved.service': running('AT=1'), 'moved.service.d/more.conf': '[Service]\nNice=5\n' },
    start: ['moved.service'],
    actions: { 'moved.service': 'nothing' },
  },
  {
    what: 'one of two values moves to a drop-in, which is not the same',
    before: { 'split.service': `${running('AT=1')}Environment=B=1\n` },
    after: { 'split.service': running('AT=1'), 'split.service.d/more.conf': '[Service]\nEnvironment=B=1\n' },
    start: ['split.service'],
    actions: { 'split.service': 'stop and start' },
  },
  {
    what: 'an empty [Service] comes',
    before: { 'bare.timer': '[Timer]\nOnBootSec=7d\nUnit=idle.service\n' },
    after: { 'bare.timer': '[Timer]\nOnBootSec=7d\nUnit=idle.service\n[Service]\n' },
    start: ['bare.timer'],
    actions: { 'bare.timer': 'restart' },
  },
  {
    what: 'a service with a socket changes, and the socket is masked',
    before: { 's6.service': running('AT=1'), 's6.socket': socket('/run/s6') },
    after: { 's6.service': running('AT=2'), 's6.socket': null },
    start: ['s6.service'],
    actions: { 's6.service': 'stop' },
  },
  {
    what: 'a template changes',
    before: { 'inst@.service': running('AT=1') },
    after: { 'inst@.service': running('AT=2') },
    start: ['inst@a.service', 'inst@b.service'],
    actions: { 'inst@a.service': 'stop and start', 'inst@b.service': 'stop and start', 'inst@c.service': 'nothing' },
  },
  {
    what: "an instance's drop-in is gone, other instances stay",
    before: { 'drop@.service': running('AT=1'), 'drop@a.service.d/overrides.conf': '[Service]\nNice=5\n' },
    after: { 'drop@.service': running('AT=1') },
    start: ['drop@a.service', 'drop@b.service'],
    actions: { 'drop@a.service': 'stop', 'drop@b.service': 'nothing' },
  },
  {
    what: 'a template is gone',
    before: { 'lost@.service': running('AT=1') },
    after: {},
    start: ['lost@a.service'],
    actions: { 'lost@a.service': 'stop' },
  },
  {
    what: 'a socket changes, its service does not',
    before: { 's1.service': running('AT=1'), 's1.socket': socket('/run/s1') },
    after: { 's1.service': running('AT=1'), 's1.socket': socket('/run/s1b') },
    start: ['s1.socket', 's1.service'],
    actions: { 's1.socket': 'nothing', 's1.service': 'nothing' },
  },
  {
    what: 'a service with a socket changes',
    before: { 's2.service': running('AT=1'), 's2.socket': socket('/run/s2') },
    after: { 's2.service': running('AT=2'), 's2.socket': socket('/run/s2') },
    start: ['s2.socket', 's2.service'],
    actions: { 's2.socket': 'stop and start', 's2.service': 'stop' },
  },
  {
    what: 'a service with a socket changes, with X-NotSocketActivated',
    before: { 's3.service': notSocketActivated('AT=1'), 's3.socket': socket('/run/s3') },
    after: { 's3.service': notSocketActivated('AT=2'), 's3.socket': socket('/run/s3') },
    start: ['s3.socket', 's3.service'],
    actions: { 's3.socket': 'stop and start', 's3.service': 'stop and start' },
  },
  {
    what: 'a service with a socket changes, with X-StopIfChanged=false',
    before: { 's4.service': running('AT=1', { 'X-StopIfChanged': 'false' }), 's4.socket': socket('/run/s4') },
    after: { 's4.service': running('AT=2', { 'X-StopIfChanged': 'false' }), 's4.socket': socket('/run/s4') },
    start: ['s4.socket', 's4.service'],
    actions: { 's4.socket': 'nothing', 's4.service': 'restart' },
  },
  {
    what: 'Sockets= names another socket',
    before: {
      's5.service': running('AT=1', { Sockets: 's5-other.socket' }),
      's5-other.socket': unitFile({ Socket: { ListenStream: '/run/s5', Service: 's5.service' } }),
    },
    after: {
      's5.service': running('AT=2', { Sockets: 's5-other.socket' }),
      's5-other.socket': unitFile({ Socket: { ListenStream: '/run/s5', Service: 's5.service' } }),
    },
    start: ['s5-other.socket', 's5.service'],
    actions: { 's5-other.socket': 'stop and start', 's5.service': 'stop' },
  },
  {
    what: 'a timer changes',
    before: { 't1.timer': unitFile({ Timer: { OnBootSec: '7d' } }), 't1.service': running('AT=1') },
    after: { 't1.timer': unitFile({ Timer: { OnBootSec: '8d' } }), 't1.service': running('AT=1') },
    start: ['t1.timer'],
    actions: { 't1.timer': 'restart', 't1.service': 'nothing' },
  },
  {
    what: 'a path changes',
    before: { 'p1.path': unitFile({ Path: { PathExists: '/none' } }), 'p1.service': running('AT=1') },
    after: { 'p1.path': unitFile({ Path: { PathExists: '/nothing' } }), 'p1.service': running('AT=1') },
    start: ['p1.path'],
    actions: { 'p1.path': 'nothing', 'p1.service': 'nothing' },
  },
  {
    what: 'a slice changes',
    before: { 'sl.slice': unitFile({ Slice: { CPUWeight: '50' } }) },
    after: { 'sl.slice': unitFile({ Slice: { CPUWeight: '60' } }) },
    start: ['sl.slice'],
    actions: { 'sl.slice': 'nothing' },
  },
  {
    what: "a mount's options change",
    before: { 'mnt-m1.mount': mount('/mnt/m1', 'size=1m') },
    after: { 'mnt-m1.mount': mount('/mnt/m1', 'size=2m') },
    start: ['mnt-m1.mount'],
    actions: { 'mnt-m1.mount': 'reload' },
  },
  {
    what: "a mount's source changes",
    before: { 'mnt-m2.mount': unitFile({ Mount: { What: 'one', Where: '/mnt/m2', Type: 'tmpfs' } }) },
    after: { 'mnt-m2.mount': unitFile({ Mount: { What: 'two', Where: '/mnt/m2', Type: 'tmpfs' } }) },
    start: ['mnt-m2.mount'],
    actions: { 'mnt-m2.mount': 'restart' },
  },
  {
    what: 'a target that is active gets another unit, which starts without being named as started',
    before: { 'group.target': unitFile({ Unit: { Description: 'group' } }) },
    after: {
      'group.target': unitFile({ Unit: { Description: 'group', Wants: 'member.service' } }),
      'member.service': running('AT=1'),
    },
    start: ['group.target'],
    actions: { 'group.target': 'nothing', 'member.service': 'nothing' },
  },
  {
    // systemd forgets a unit that nothing refers to, which would be an error.
    what: 'a unit to be reloaded was stopped with one that it requires, and another one wants it: it starts',
    before: {
      'wants.target': unitFile({ Unit: { Wants: 'above.service' } }),
      'base.service': running('AT=1'),
      'above.service': unitFile({
        Unit: { Requires: 'base.service', After: 'base.service', 'X-Reload-Triggers': '1' },
        Service: { ExecStart: sleep, ExecReload: reload },
      }),
    },
    after: {
      'wants.target': unitFile({ Unit: { Wants: 'above.service' } }),
      'base.service': running('AT=2'),
      'above.service': unitFile({
        Unit: { Requires: 'base.service', After: 'base.service', 'X-Reload-Triggers': '2' },
        Service: { ExecStart: sleep, ExecReload: reload },
      }),
    },
    start: ['wants.target', 'base.service', 'above.service'],
    actions: { 'base.service': 'stop and start', 'above.service': 'start' },
    planned: { 'above.service': 'reload' },
  },
];

/**
 * The rules of switch-to-configuration-ng of nixpkgs (`compare_units`, `handle_modified_unit`, `collect_unit_changes`), a row
 * for each. No two rows share a unit, so that one switch can test all of them.
 */
export const unitCases: readonly UnitCase[] = [...ofKeys, ...ofOptions, ...ofKinds];
