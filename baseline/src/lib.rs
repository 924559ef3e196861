//! What each entity usually does, as frozen generations, in bits.
