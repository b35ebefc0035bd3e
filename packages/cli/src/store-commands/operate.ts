import { spawn } from 'node:child_process';
import type { Context } from '../context.ts';
import { daemonProgram } from '../daemons/start.ts';
import { Failure } from '../failure.ts';

/**
 * Has the store's own program do something: it alone knows the store's protocols and files, and nothing of it may be
 * loaded here.
 * @param order see packages/store/src/operator/orders.ts
 * @throws Failure with the program's own words when it is refused
 */
export async function operate<T extends object>(context: Context, order: object): Promise<T> {
  const program = await daemonProgram(context, 'store');
  const child = spawn(context.node, [program, 'operate', JSON.stringify(order)], {
    env: { ...context.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: context.signal,
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Failure(`The store's program ended with ${code ?? 'a signal'}`);
  const result = JSON.parse(out) as T & { readonly error?: string };
  if (result.error !== undefined) throw new Failure(result.error);
  return result;
}
