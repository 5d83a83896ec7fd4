/** FNV-1a over the UTF-16 code units, then MurmurHash3's finaliser: FNV alone spreads short texts too little. */
const hash32 = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place++) hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/**
 * Whether a user is among `percent` (0 to 100) of all. The answer is the same on every instance and after every restart,
 * and who is among 10 % is also among 20 %.
 */
export const isSampled = (user: string, percent: number): boolean => hash32(user) < (percent / 100) * 2 ** 32;
