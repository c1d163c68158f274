import type { Command } from '@oclif/core';

/** Every command by its id. All are loaded on each run, so none imports anything heavy outside of `run()`. */
export const COMMANDS: Record<string, Command.Class> = {};
