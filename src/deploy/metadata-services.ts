import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';

/**
 * Addresses at which clouds give a machine its credentials: link-local ones, and AWS' for IPv6. No host of a fleet has one, but
 * a check that a source defines could ask them in the name of the runner.
 */
const services = new BlockList();
services.addSubnet('169.254.0.0', 16, 'ipv4');
services.addSubnet('fe80::', 10, 'ipv6');
services.addAddress('fd00:ec2::254', 'ipv6');

const refusal = 'it is the address of a metadata service, which checks may not ask';

/** @param hostname of a URL: a name, or an address with or without brackets. @throws Error for such an address */
export function checkAddress(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && isService(address)) throw new Error(refusal);
}

/** As `dns.lookup`, but a name that leads to such an address is an error. */
export const lookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, options, (error, address, family) => {
    const found = Array.isArray(address) ? address.map(each => each.address) : [address];
    if (error === null && found.some(isService)) callback(new Error(refusal), address, family);
    else callback(error, address, family);
  });
};

function isService(address: string): boolean {
  return services.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
