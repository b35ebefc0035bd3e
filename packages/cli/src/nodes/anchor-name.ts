/** Name of the container that holds a virtual node's network namespace. */
export const anchorName = (cluster: string, node: string): string => `wherry-${cluster}-${node}`;
