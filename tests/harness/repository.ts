import { fileURLToPath } from 'node:url';

/** Root folder of this repository. */
export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
