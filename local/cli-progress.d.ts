/** The part of cli-progress that the demo uses. The package has no types of its own. */
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
    /** Writes text above the bars at the next redraw. The text includes its line ends. */
    log(text: string): void;
    update(): void;
    stop(): void;
  }
}
