import { expect, test } from '@jest/globals';
import { withoutCommands } from '../src/workflow-commands.ts';

/** The commands that the runner would execute in a text: ActionCommand.TryParseV2 and TryParse, for each line that .NET reads. */
function commandsIn(text: string): string[] {
  return text.split(/\r\n|\r|\n/).filter(line => /^[\s\u0085]*::.+::/.test(line) || /##\[[^\]]+\]/.test(line));
}

test.each([
  ['::stop-commands::x'],
  ['  \t::add-mask::password'],
  ['web: building\n::set-env name=PATH::/tmp'],
  ['web: building\r::stop-commands::x'],
  ['one\r\n\u00a0\u0085::warning::x'],
  ['a line with ##[add-mask]x in it'],
  ['##[stop-commands]x'],
  ['###[group]x'],
  ['##[##[add-mask]x]y'],
  ['::::debug::x'],
])('%j is printed and executes nothing', text => {
  expect(commandsIn(text)).not.toEqual([]);
  expect(commandsIn(withoutCommands(text))).toEqual([]);
  expect(withoutCommands(text).replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
});

test.each([['error: attribute a::b is missing'], ['# a comment [1]'], ['https://[::1]:80']])(
  '%j is printed as it is',
  text => {
    expect(withoutCommands(text)).toBe(text);
  },
);
