import { Failure } from '../failure.ts';

/** What a kubectl-style verb cannot do, shown as kubectl shows it: the text after `error: `, and exit code 1. */
export class VerbError extends Failure {
  /** The line(s) for the terminal. */
  readonly text: string;

  constructor(message: string, options?: ErrorOptions & { readonly plain?: boolean }) {
    super(message, options);
    this.text = options?.plain === true ? message : `error: ${message}`;
  }
}
