/**
 * FNV-1a over the UTF-16 code units, then MurmurHash3's finaliser, because FNV alone spreads short texts too little.
 * Sources: http://www.isthe.com/chongo/tech/comp/fnv/, https://github.com/aappleby/smhasher (MurmurHash3).
 */
const hash32 = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/**
 * Whether a user is in the sample of `percent` (0 to 100) of all users. The answer is the same on every instance and after every
 * restart. A user in the sample of 10 % is also in the sample of 20 %.
 */
export const isSampled = (user: string, percent: number): boolean => hash32(user) < (percent / 100) * 2 ** 32;
