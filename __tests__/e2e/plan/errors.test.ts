import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, formatOf, forms, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** A fault of one host: its module, and the expected error. */
const faults: { fault: string; module: string; message: RegExp; line: number }[] = [
  {
    fault: 'a syntax error',
    module: '{ networking.hostName = ; }\n',
    message: /^Syntax error, unexpected/,
    line: 1,
  },
  {
    fault: 'a missing attribute',
    module: sound('networking.hostName = lib.nothing;'),
    message: /^Attribute 'nothing' missing\.$/,
    line: 4,
  },
  {
    fault: 'an infinite recursion',
    module: sound('networking.hostName = let x = x; in x;'),
    message: /^Infinite recursion encountered/,
    line: 4,
  },
  {
    fault: 'a throw',
    module: sound('networking.hostName = throw "no name yet";'),
    message: /^No name yet\.$/,
    line: 4,
  },
  {
    fault: 'a definition of the wrong type',
    module: sound('time = {', '  timeZone = 7;', '};'),
    message: /^A definition for option `time\.timeZone' is not of type/,
    line: 5,
  },
  {
    fault: 'an option that does not exist',
    module: sound('networking.hostNam = "x";'),
    message: /networking\.hostNam/,
    line: 4,
  },
];

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  describe.each(forms)('%s', form => {
    const format = formatOf(form);
    test.each(faults)('a host with $fault does not hide the others', async ({ module, message, line }) => {
      const { files, moduleOf } = fleetOf(form, { bad: module, good: sound(), other: sound() }, fixture);
      const folder = await fixture.repository(files);
      const fleet = await plan(fixture.config(folder, { format }), fixture.nix, fixture.context);
      expect(fleet.hosts.map(({ name }) => name)).toEqual(['good', 'other']);
      expect(fleet.failures).toEqual([
        {
          host: 'bad',
          message: expect.stringMatching(message),
          trace: expect.any(String),
          file: moduleOf('bad'),
          line,
          column: expect.any(Number),
        },
      ]);
    });

    test('conflicting definitions name the files of the user', async () => {
      if (form === 'configuration') return;
      const time = (zone: string): string => `time.timeZone = "${zone}";`;
      const { files, moduleOf, main } = fleetOf(form, { bad: sound(time('Europe/Paris')) }, fixture);
      const inline = `{ ${time('Europe/Berlin')} imports = [ ./${moduleOf('bad')} ]; }`;
      const text = files[main] ?? '';
      const asModule = text.replace(
        /\{ imports = \[ \S+ \]; deployment/,
        `{ ${time('Europe/Berlin')} imports = [ ./${moduleOf('bad')} ]; deployment`,
      );
      const changed = asModule === text ? text.replace(`./${moduleOf('bad')}`, `(${inline})`) : asModule;
      const folder = await fixture.repository({ ...files, [main]: changed });
      const { failures } = await plan(fixture.config(folder, { format }), fixture.nix, fixture.context);
      expect(failures[0]?.message).toContain(`In \`${moduleOf('bad')}'`);
      expect(failures[0]?.message).not.toMatch(/\/nix\/|nix\/(?:colmena|morph|nixops)\.nix/);
      if (asModule !== text) expect(failures[0]?.message).toContain(`In \`${main}'`);
    });

    test('a syntax error in the main file is one error with its place', async () => {
      const { files, main, moduleOf } = fleetOf(form, { web: sound() }, fixture);
      const folder = await fixture.repository({
        ...files,
        [main]: '{\n  a = ;\n}\n',
      });
      const planned = plan(fixture.config(folder, { format }), fixture.nix, fixture.context);
      if (main === moduleOf('web')) {
        expect((await planned).failures).toMatchObject([{ host: 'web', file: main, line: 2 }]);
      } else {
        await expect(planned).rejects.toMatchObject({
          name: 'UserError',
          message: expect.stringMatching(/^Syntax error/),
          where: { file: main, line: 2 },
        });
      }
    });

    test('names of hosts may contain blanks, dots and other letters', async () => {
      const names = ['a.b', 'a b', 'größe', 'constructor'];
      const hosts = Object.fromEntries(names.map(name => [name, sound('networking.hostName = "x";')]));
      const folder = await fixture.repository(fleetOf(form, hosts, fixture).files);
      const fleet = await plan(fixture.config(folder, { format }), fixture.nix, fixture.context);
      expect(fleet.failures).toEqual([]);
      expect(fleet.hosts.map(({ name }) => name)).toEqual([...names].sort());
      const [dotted] = (await plan(fixture.config(folder, { format, hosts: ['a.b'] }), fixture.nix, fixture.context))
        .hosts;
      expect(dotted?.name).toBe('a.b');
    });

    test('a name with quotes or code is one error, and the code does not run', async () => {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the name of a host
      const name = 'x"\'$(touch touched)`touch touched`${throw "x"}';
      const { files, main } = fleetOf(form, { web: sound(), [name]: sound() }, fixture);
      const folder = await fixture.repository(files);
      await expect(plan(fixture.config(folder, { format }), fixture.nix, fixture.context)).rejects.toMatchObject({
        message: `${JSON.stringify(name)} cannot be the name of a host.`,
        where: { file: main },
      });
      expect([existsSync(join(folder, 'touched')), existsSync('touched')]).toEqual([false, false]);
    });

    test('a host that does not exist is one error with the most similar name', async () => {
      const { files } = fleetOf(form, { web: sound(), database: sound() }, fixture);
      const folder = await fixture.repository(files);
      await expect(
        plan(fixture.config(folder, { format, hosts: ['databse'] }), fixture.nix, fixture.context),
      ).rejects.toMatchObject({
        message: 'There is no host "databse".',
        where: { input: 'hosts' },
        cure: 'Did you mean "database"? Known hosts: database, web.',
      });
    });
  });
});
