export { contentLabel, type ImageConfig, type ImageSource, imageArchive, type Layer } from './archive.ts';
export { architectureOf, ensureImages, type ImageEngine } from './engine.ts';
export { pauseElf } from './pause/elf.ts';
export type { Architecture } from './pause/program.ts';
export { sandboxImage, sandboxImageReference } from './sandbox-image.ts';
export type { Content, LayerEntry } from './tar.ts';
