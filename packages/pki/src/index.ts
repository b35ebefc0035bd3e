export { detachedSignature, isDetachedSignature } from './detached-signature.ts';
export { endsAtMs, examine, type Pair, RENEW_BEFORE_END_MS, type Verdict } from './examine.ts';
export { type KubeconfigOptions, renderKubeconfig } from './kubeconfig.ts';
export { ensureTree, type Made, readPair, writeWhole } from './tree.ts';
export {
  type ApiserverNames,
  type AuthorityName,
  authorities,
  type CertificateWish,
  clientIdentities,
  controlPlaneWishes,
  type NodeNames,
  nodeClientName,
  nodeServingName,
  nodeWishes,
  type StoreNames,
  storeWishes,
} from './wish.ts';
