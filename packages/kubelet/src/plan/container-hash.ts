// A fingerprint of what cannot be changed in a running container: as upstream, its name and image.

/** 64-bit FNV-1a in hexadecimal of the fields whose change means a new container. */
export function containerHash(container: { readonly name: string; readonly image?: string }): string {
  return fnv1a64(JSON.stringify({ name: container.name, image: container.image ?? '' }));
}

/** 64-bit FNV-1a of the UTF-16 code units, as 16 hexadecimal digits. Not for anything an attacker may choose. */
export function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash ^= BigInt(text.charCodeAt(index));
    hash = BigInt.asUintN(64, hash * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
