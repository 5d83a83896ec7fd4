/** What the demo uses of cli-progress, which brings no types of its own. */
declare module "cli-progress" {
  interface Bar {
    update(value: number, payload: Readonly<Record<string, string>>): void;
  }

  export class MultiBar {
    constructor(options: {
      readonly stream: NodeJS.WritableStream;
      readonly format: string;
      readonly barsize: number;
      readonly barCompleteChar: string;
      readonly barIncompleteChar: string;
      readonly hideCursor: boolean;
      readonly forceRedraw: boolean;
      readonly clearOnComplete: boolean;
    });
    create(...bar: [total: number, start: number, payload: object, options?: { readonly format: string }]): Bar;
    /** A text for above the bars, its line ends included; written with the next drawing. */
    log(text: string): void;
    update(): void;
    stop(): void;
  }
}
